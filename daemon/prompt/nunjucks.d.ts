/** What podd uses of nunjucks 3.2, which comes without types. */
declare module 'nunjucks' {
  export type Node = {
    readonly typename: string;
    /** From 0. */
    readonly lineno: number;
    readonly colno: number;
    readonly fields: readonly string[];
    readonly children?: readonly Node[];
    readonly [field: string]: unknown;
  };

  export class Template {
    constructor(source: string, env: Environment, path: string, eagerCompile: boolean);
    render(context: object): unknown;
  }

  export type GetTemplate = (
    name: unknown,
    eagerCompile?: unknown,
    parentName?: unknown,
    ignoreMissing?: unknown,
    callback?: (error: unknown, template?: Template) => void,
  ) => Template | undefined;

  export class Environment {
    constructor(loader: readonly never[], options: object);
    filters: Record<string, (...args: unknown[]) => unknown>;
    tests: Record<string, (...args: unknown[]) => unknown>;
    globals: Record<string, unknown>;
    getTemplate: GetTemplate;
  }

  type Callable = (...args: readonly unknown[]) => unknown;
  type Runtime = {
    memberLookup: (object: unknown, key: unknown) => unknown;
    callWrap: (target: unknown, name: string, context: unknown, args: unknown[]) => unknown;
    contextOrFrameLookup: (context: unknown, frame: unknown, name: string) => unknown;
    makeMacro: (args: unknown, kwargs: unknown, body: unknown) => Callable;
  };

  const nunjucks: {
    readonly Environment: typeof Environment;
    readonly Template: typeof Template;
    readonly parser: { readonly parse: (source: string) => Node };
    readonly runtime: Runtime;
  };
  export default nunjucks;
}
