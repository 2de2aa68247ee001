import type { ToolDefinition } from '../ports/model.ts';
import type { Tool } from '../ports/tool.ts';
import type { Manifest } from '../manifest/parse-manifest.ts';
import type { ToolName } from '../manifest/schema.ts';
import { editTool } from '../tools/edit.ts';
import { readTool as read } from '../tools/read.ts';
import { writeTool } from '../tools/write.ts';
import type { ToolBox } from '../worker/worker-ports.ts';

/** It shows files to the compactor as well. */
export const readTool: Tool = read;

const TOOLS: Readonly<Record<ToolName, Tool>> = {
  Edit: editTool,
  Read: readTool,
  Write: writeTool,
};

/** The tools of a Pod. */
export function buildToolBox(toolOutput: Manifest['toolOutput']): Promise<ToolBox> {
  return toToolBox(
    Object.values(TOOLS),
    (name) => toolOutput.perTool.get(name) ?? toolOutput.defaultBytesMax,
  );
}

/** Tools as models are told of them. What makes the schemas is loaded at the first request. */
export async function toToolBox(
  tools: readonly Tool[],
  contentBytesMax: ToolBox['contentBytesMax'],
): Promise<ToolBox> {
  const { toJsonSchema } = await import('@valibot/to-json-schema');
  const definitions = tools.map((tool): ToolDefinition => {
    const { $schema: _dialect, ...parameters } = toJsonSchema(tool.schema, {
      errorMode: 'ignore',
    });
    return { name: tool.name, description: tool.description, parameters };
  });
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return {
    // By code unit, as `request-check` compares them: the order is part of the cached prefix.
    definitions: definitions.sort((a, b) => (a.name < b.name ? -1 : 1)),
    find: (name) => byName.get(name),
    contentBytesMax,
  };
}
