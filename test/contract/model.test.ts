import { openScriptedModel } from '../../daemon/model/scripted/scripted-model.ts';
import type { Model } from '../../daemon/ports/model.ts';
import { script } from '../support/script.ts';
import { ANSWER_TEXT, modelContract } from './model.contract.ts';

function scripted(text: string): Model {
  return openScriptedModel(script(text), { name: 's', cwd: '/w', env: {} });
}

modelContract('scripted', {
  answering: () =>
    scripted(`[[steps]]
      reasoning = "thinking"
      text = "${ANSWER_TEXT}"
      chunk_bytes = 3
      tool_calls = [{ name = "Read", arguments = { file_path = "/a" } }, { name = "Read" }]`),
  silent: () => scripted('[[steps]]\ntext = "late"\ndelay_ms = 600000'),
  failing: (status) => scripted(`[[steps]]\nerror = { status = ${status} }`),
  breaking: () => scripted('[[steps]]\ntext = "half of this"\nerror = "disconnect"'),
});
