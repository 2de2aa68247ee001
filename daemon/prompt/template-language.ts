/** What of nunjucks a prompt may use: nothing that calls back, reads a property by a name, or differs from time to time. */

export const FILTERS: ReadonlySet<string> = new Set([
  ...['abs', 'batch', 'capitalize', 'center', 'default', 'd', 'first', 'float', 'indent', 'int'],
  ...['join', 'last', 'length', 'list', 'lower', 'replace', 'reverse', 'round', 'slice', 'string'],
  ...['title', 'trim', 'truncate', 'upper', 'wordcount'],
]);

export const TESTS: ReadonlySet<string> = new Set([
  ...['defined', 'undefined', 'divisibleby', 'equalto', 'eq', 'even', 'odd', 'falsy', 'truthy'],
  ...['ge', 'gt', 'le', 'lt', 'ne', 'greaterthan', 'lessthan', 'lower', 'upper', 'none', 'null'],
  ...['number', 'string', 'iterable', 'mapping', 'sameas'],
]);

export const GLOBALS: ReadonlySet<string> = new Set(['range']);

/** Of texts. None takes a callback or grows without bound. */
export const STRING_METHODS: ReadonlySet<string> = new Set([
  ...['charAt', 'endsWith', 'includes', 'indexOf', 'lastIndexOf', 'slice', 'split', 'startsWith'],
  ...['substring', 'toLowerCase', 'toUpperCase', 'trim', 'trimEnd', 'trimStart'],
]);

export const ARRAY_METHODS: ReadonlySet<string> = new Set([
  ...['at', 'concat', 'includes', 'indexOf', 'join', 'lastIndexOf', 'slice'],
]);

/** Names by which one gets from a value to what made it, or to another way to call. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...['prototype', 'call', 'apply', 'bind', 'arguments', 'callee', 'toJSON', 'then'],
]);

/** What the tree of a template may be made of; anything else of the engine is refused. */
export const NODES: ReadonlySet<string> = new Set([
  ...['Root', 'NodeList', 'Value', 'Literal', 'Symbol', 'Group', 'Array', 'Pair', 'Dict'],
  ...['Output', 'TemplateData', 'LookupVal', 'If', 'InlineIf', 'For', 'Macro', 'Caller'],
  ...['Import', 'FromImport', 'FunCall', 'Filter', 'KeywordArgs', 'Block', 'Super', 'Extends'],
  ...['Include', 'Set', 'Switch', 'Case', 'Capture', 'In', 'Is', 'Or', 'And', 'Not', 'Add'],
  ...['Concat', 'Sub', 'Mul', 'Div', 'FloorDiv', 'Mod', 'Pow', 'Neg', 'Pos', 'Compare'],
  'CompareOperand',
]);
