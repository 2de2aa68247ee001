// Adds to package-lock.json the optional packages that the registry at hand did not have: those of other platforms.
// npm leaves them out of the lock without a word, and `npm ci` then refuses it. Run this after `npm install PACKAGE`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, '..', 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const { packages } = lock;
const added = [];

for (const [path, { optionalDependencies = {} }] of Object.entries({ ...packages }))
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const hoisted = `node_modules/${name}`;
    if (packages[hoisted] ?? packages[`${path}/${hoisted}`]) continue;
    if (!/^\d+\.\d+\.\d+/.test(version))
      throw new Error(`${path} wants ${name} ${version}: which one?`);
    packages[hoisted] = { version, dev: true, optional: true, ...platformOf(name) };
    added.push(name);
  }

lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added.length} added${added.map((name) => `\n  ${name}`).join('')}\n`);

/** Such packages are named for their platform. */
function platformOf(name) {
  const os = /android|darwin|win32|freebsd|openharmony|linux|netbsd|openbsd|sunos|aix/.exec(
    name,
  )?.[0];
  const cpu = /arm64|x64|ia32|arm|ppc64|riscv64|s390x|loong64|mips64el|wasm32/.exec(name)?.[0];
  const libc = /musl/.test(name) ? 'musl' : /gnu/.test(name) ? 'glibc' : undefined;
  return { ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }), ...(os && { os: [os] }) };
}
