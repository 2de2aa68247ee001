// The package has no types. These are the calls that podd makes.
declare module 'fs-native-extensions' {
  type Native = {
    /** False if somebody else holds it. Throws when the file system has no such locks. */
    readonly tryLock: (fd: number) => boolean;
    readonly unlock: (fd: number) => void;
  };
  const native: Native;
  // The whole module: a bundle of it has no other export.
  export default native;
}
