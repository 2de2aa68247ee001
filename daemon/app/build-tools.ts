import type { ToolDefinition } from '../ports/model.ts';
import type { Tool } from '../ports/tool.ts';
import type { Manifest } from '../manifest/parse-manifest.ts';
import type { ToolName } from '../manifest/schema.ts';
import { editTool } from '../tools/edit.ts';
import { readTool } from '../tools/read.ts';
import { writeTool } from '../tools/write.ts';
import type { ToolBox } from '../worker/worker-ports.ts';

const TOOLS: Readonly<Record<ToolName, Tool>> = {
  Edit: editTool,
  Read: readTool,
  Write: writeTool,
};

/** The tools as models are told of them. What makes the schemas is loaded at the first request. */
export async function buildToolBox(toolOutput: Manifest['toolOutput']): Promise<ToolBox> {
  const { toJsonSchema } = await import('@valibot/to-json-schema');
  const definitions = Object.values(TOOLS).map((tool): ToolDefinition => {
    const { $schema: _dialect, ...parameters } = toJsonSchema(tool.schema, {
      errorMode: 'ignore',
    });
    return { name: tool.name, description: tool.description, parameters };
  });
  const byName = new Map(Object.values(TOOLS).map((tool) => [tool.name, tool]));
  return {
    // By code unit, as `request-check` compares them: the order is part of the cached prefix.
    definitions: definitions.sort((a, b) => (a.name < b.name ? -1 : 1)),
    find: (name) => byName.get(name),
    contentBytesMax: (name) => toolOutput.perTool.get(name) ?? toolOutput.defaultBytesMax,
  };
}
