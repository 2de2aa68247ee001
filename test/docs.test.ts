import { describe, expect, test } from 'vitest';
import { EVENTS } from '../protocol/events.ts';
import { RPC_CODES, RUN_FAULTS } from '../protocol/faults.ts';
import { METHODS } from '../protocol/methods.ts';
import { LIMITS } from '../daemon/core/limits.ts';
import { LATER_KEYS, ManifestTable, TOOL_NAMES } from '../daemon/manifest/schema.ts';
import { read, sources, testTitles } from './support/source-tree.ts';

const wire = read('docs/protocol.md');

/** Names in backquotes. */
function quoted(text: string): Set<string> {
  return new Set([...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
}

function section(text: string, heading: string): string {
  const from = text.indexOf(`\n## ${heading}`);
  expect(from, heading).toBeGreaterThanOrEqual(0);
  const end = text.indexOf('\n## ', from + 1);
  return text.slice(from, end === -1 ? undefined : end);
}

/** Cells of the table rows whose first cell is a quoted name. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe('docs/protocol.md', () => {
  const methods = rows(section(wire, 'Methods'));

  test('PROTO-3: has every method, with its params and its own errors, and no other', () => {
    expect(methods.map(([name]) => name)).toEqual(
      Object.keys(METHODS).map((name) => `\`${name}\``),
    );
    for (const [name = '', params = '', , errors = ''] of methods) {
      const method = METHODS[name.replaceAll('`', '') as keyof typeof METHODS];
      const named = [...params.matchAll(/`(\w+)\??`/g)].map((match) => match[1]);
      expect(
        named.filter((one) => one !== 'now' && one !== 'graceful'),
        name,
      ).toEqual(Object.keys(method.params.entries));
      const own = method.errors.filter((code) => !(RUN_FAULTS as readonly string[]).includes(code));
      const runs = errors.includes('run errors') ? RUN_FAULTS : [];
      const said = [...quoted(errors)].filter(
        (code) => !(runs as readonly string[]).includes(code),
      );
      const expected = runs.length > 0 ? own : [...method.errors];
      expect(said, name).toEqual(expected);
    }
  });

  test('PROTO-8: has every error with its number, and no other', () => {
    const table = section(wire, 'Errors');
    const said = [...table.matchAll(/(-320\d\d) \| `(\w+)`/g)].map((match) => [
      match[2],
      Number(match[1]),
    ]);
    expect(Object.fromEntries(said)).toEqual(RPC_CODES);
    const runErrors = /\*Run errors\*: ([^.]*)\./.exec(wire)?.[1] ?? '';
    expect([...quoted(runErrors)]).toEqual([...RUN_FAULTS]);
  });

  test('PROTO-11: has every event with all its fields', () => {
    const events = section(wire, 'Events');
    const names = quoted(events);
    for (const [event, schema] of Object.entries(EVENTS)) {
      expect(names, event).toContain(event);
      const options = 'options' in schema ? schema.options : [schema];
      const row = events
        .split('\n\n')
        .find((part) => part.includes(`\`${event}\``) && part.includes('|'));
      const place =
        rows(events).find(([name]) => name?.includes(`\`${event}\``))?.[1] ?? row ?? events;
      for (const option of options)
        for (const field of Object.keys(option.entries))
          expect(
            place.includes(field) || events.includes(`\`${field}\``),
            `${event}.${field}`,
          ).toBe(true);
    }
  });
});

describe('docs/manifest.md', () => {
  test('MAN-1: has every key that is supported, and none that is not', () => {
    const said = rows(read('docs/manifest.md'))
      .map(([name = '']) => name.replaceAll('`', ''))
      .filter((name) => /^(\[\[)?[a-z_]+\./.test(name))
      .map((name) => name.replace(/^\[\[(.*)\]\]$/, '$1'))
      .flatMap((name) =>
        name.endsWith('.provider.<key>')
          ? leaves(ManifestTable.entries.provider, name.replace('.<key>', ''))
          : [name],
      )
      .flatMap((name) =>
        name.endsWith('<Name>') ? TOOL_NAMES.map((tool) => name.replace('<Name>', tool)) : [name],
      );
    expect(said.sort()).toEqual(leaves(ManifestTable as Schema, '').sort());
    for (const later of LATER_KEYS) expect(said).not.toContain(later);
  });
});

type Schema = { readonly type: string; readonly entries?: object; readonly wrapped?: Schema };

/** Dotted names of the keys that hold no further table. */
function leaves(schema: Schema, path: string): string[] {
  const inner = schema.wrapped ?? schema;
  if (inner.entries === undefined) return [path];
  return Object.entries(inner.entries as Record<string, Schema>).flatMap(([key, value]) =>
    leaves(value, path === '' ? key : `${path}.${key}`),
  );
}

describe('docs/guarantees.md', () => {
  const page = read('docs/guarantees.md');
  const promises = rows(page)
    .map(([id = '', , , proof = '']) => ({ id: id.replaceAll('`', ''), proof }))
    .filter(({ id }) => /^[A-Z]+-\d+$/.test(id));

  test('has a test for every promise: the file is there, and a title in it names the id', () => {
    expect(promises.length).toBeGreaterThan(50);
    for (const { id, proof } of promises) {
      const files = [...quoted(proof)];
      expect(files.length, id).toBeGreaterThan(0);
      for (const file of files) {
        const titles = testTitles(read(file)).join('\n');
        expect(new RegExp(`(?<![\\w-])${id}(?!\\d)`).test(titles), `${id} in ${file}`).toBe(true);
      }
    }
  });

  test('has every promise that a test names', () => {
    const known = new Set(promises.map(({ id }) => id));
    const named = sources('test').flatMap(({ path, text }) =>
      testTitles(text).flatMap((title) =>
        [...(title.split(': ')[0] ?? '').matchAll(/(?<![\w-])[A-Z]+-\d+/g)].map(
          ([id]) => `${id} (${path})`,
        ),
      ),
    );
    expect(named.length).toBeGreaterThan(200);
    expect(named.filter((one) => !known.has(one.split(' ')[0] ?? ''))).toEqual([]);
  });
});

describe('the limits', () => {
  test('INV-6 INV-12: every one has a test that reaches it, named on the page of guarantees', () => {
    const page = section(read('docs/guarantees.md'), 'Limits');
    const table = rows(page).map(([name = '', , proof = '']) => ({
      name: name.replaceAll('`', ''),
      proof,
    }));
    expect(table.map(({ name }) => name).sort()).toEqual(Object.keys(LIMITS).sort());
    for (const { name, proof } of table)
      for (const file of quoted(proof))
        expect(read(file).length, `${name}: ${file}`).toBeGreaterThan(0);
  });
});
