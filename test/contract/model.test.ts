import { afterAll } from 'vitest';
import { openScriptedModel } from '../../daemon/model/scripted/scripted-model.ts';
import type { Model } from '../../daemon/ports/model.ts';
import { claudeAt } from '../support/claude.ts';
import { type Conduct, ModelServer } from '../support/model-server.ts';
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

const servers: ModelServer[] = [];

async function serving(conduct: Conduct): Promise<string> {
  const server = new ModelServer(conduct);
  servers.push(server);
  return await server.listen();
}

afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

const failure = (status: number): Conduct => ({
  kind: 'status',
  status,
  type: 'api_error',
  message: 'no',
});
const urls = {
  answering: await serving({
    kind: 'answer',
    blocks: [
      { thinking: 'thinking', signature: 's' },
      { text: ANSWER_TEXT },
      { call: 'a', name: 'Read', input: { file_path: '/a' } },
      { call: 'b', name: 'Read', input: {} },
    ],
  }),
  silent: await serving({ kind: 'begins', then: 'stalls' }),
  breaking: await serving({ kind: 'begins', then: 'resets' }),
  503: await serving(failure(503)),
  400: await serving(failure(400)),
};

modelContract('anthropic', {
  answering: () => claudeAt(urls.answering),
  silent: () => claudeAt(urls.silent),
  failing: (status) => claudeAt(urls[status]),
  breaking: () => claudeAt(urls.breaking),
});
