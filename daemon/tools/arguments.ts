import * as v from 'valibot';

/** The longest path that Linux takes. */
const PATH_UNITS_MAX = 4096;

/** Relative paths are refused: the working folder of a Pod is not for a model to guess. */
export const FilePath = v.pipe(
  v.string(),
  v.startsWith('/', 'must be an absolute path, one that starts with /'),
  v.maxLength(PATH_UNITS_MAX),
  v.description('Absolute path of the file.'),
);
