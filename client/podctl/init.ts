import { lstat, mkdir, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { POD_NAME } from '../find-pods.ts';
import { PodError } from '../pod-error.ts';
import { createPrivate, isCode, makePrivateFolder } from '../private-files.ts';
import { findConfig } from '../project.ts';
import { showName } from './render/style.ts';
import { EXIT, type Shell, UsageError } from './shell.ts';

export type InitOptions = {
  readonly folder: string;
  readonly name: string | null;
  /** The user's own manifest, not a project's. */
  readonly user: boolean;
  /** Show it, make nothing. */
  readonly print: boolean;
};

/** Makes a first manifest, and replaces none. */
export async function initCommand(shell: Shell, options: InitOptions): Promise<number> {
  if (options.user && options.name !== null)
    throw new UsageError('--user is for all Pods, --name for one: give one of them');
  const { file, text, next } = options.user
    ? await planUser(shell, options)
    : await planProject(shell, options);
  if (options.print) {
    shell.out.write(text);
    return EXIT.finished;
  }
  if ((await make(file, text)) === 'exists')
    throw new PodError('no_project', `${file} is there already, and is left as it is`);
  shell.out.write(`made ${showName(file)}\n${next}`);
  return EXIT.finished;
}

type Plan = { readonly file: string; readonly text: string; readonly next: string };

async function planProject(shell: Shell, { folder, name, print }: InitOptions): Promise<Plan> {
  const root = await realpath(resolve(shell.cwd, folder)).catch((cause: unknown) => {
    const why = isCode(cause, 'ENOENT') ? 'does not exist: make it first' : "can't be looked into";
    throw new PodError('no_project', `the folder ${folder} ${why}`, { cause });
  });
  if (name !== null && !isName(name))
    throw new UsageError(`"${name}" is no Pod name (${NAME_RULE})`);
  const place = join(root, '.podd');
  if (!print) await makeOwnFolder(place);
  return {
    file: join(place, 'manifest.toml'),
    text: projectManifest(shell.schema, name ?? nameFrom(basename(root))),
    next: 'next: a model for your Pods, once: podctl init --user; then, here: podd --check, and podd\n',
  };
}

async function planUser(shell: Shell, { print }: InitOptions): Promise<Plan> {
  const config = findConfig(shell);
  if (!print) await makePrivateFolder(config);
  return {
    file: join(config, 'manifest.toml'),
    text: userManifest(shell.schema),
    next: 'next: fill in provider.script, then in a project: podctl init, podd --check\n',
  };
}

/** A link may lead anywhere; what is made there would not be found as this project's. */
async function makeOwnFolder(place: string): Promise<void> {
  try {
    await mkdir(place);
  } catch (cause) {
    const stat = await lstat(place).catch(() => null);
    if (stat?.isDirectory() === true) return;
    throw new PodError('no_project', `${place} can't be made, or is no folder`, { cause });
  }
}

async function make(file: string, text: string): Promise<'made' | 'exists'> {
  try {
    return await createPrivate(file, text);
  } catch (cause) {
    const why = isCode(cause, 'EACCES', 'EPERM', 'EROFS')
      ? 'it is not yours to write'
      : String(cause);
    throw new PodError('no_project', `${file} can't be made: ${why}`, { cause });
  }
}

const NAME_RULE =
  'a-z 0-9 . _ -, beginning with a letter or digit, up to 64, not ending in .json or .lock';

function isName(name: string): boolean {
  return POD_NAME.test(name) && !/\.(?:json|lock)$/.test(name);
}

function nameFrom(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  return isName(name) ? name : 'pod';
}

function projectManifest(schema: string, name: string): string {
  return `#:schema ${schema}
# What the Pod of this project is. These keys a project may set before you trust it (podctl trust); the model
# belongs into your own manifest: podctl init --user

[pod]
name = "${name}"

[worker]
# instruction = "$workspace/main"   # .podd/prompts/main.md
# max_turns = 50                    # model requests in one run

[[scope.allow]]
target = "."                        # this folder and all below it
permission = "write"
`;
}

function userManifest(schema: string): string {
  return `#:schema ${schema}
# What all your Pods have in common. A project's manifest comes on top of it.

[provider]
kind = "scripted"                   # plays a file; see docs/manifest.md
script = "script.toml"              # relative to this file

[worker]
# max_turns = 50
`;
}
