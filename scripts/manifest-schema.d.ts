export function manifestSchema(): Promise<string>;
