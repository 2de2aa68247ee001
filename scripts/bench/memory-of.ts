import { readFileSync } from 'node:fs';

/** In MB of a million bytes. */
export type Memory = { readonly resident: number; readonly private: number };

/** What the kernel counts for a process, by page. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (name: string): number => {
    const kibibytes = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1];
    if (kibibytes === undefined) throw new Error(`smaps_rollup of ${pid} has no ${name}`);
    return (Number(kibibytes) * 1024) / 1e6;
  };
  return {
    resident: megabytes('Rss'),
    private: megabytes('Private_Clean') + megabytes('Private_Dirty'),
  };
}
