/** Where the packed declarations live in the compiler worker's memory: the build and the worker agree here. */
export const compilerFolders = {
  folder: "/course/notebooks",
  libFolder: "/course/node_modules/typescript/lib",
  ambient: ["/course/session-globals.d.ts"],
};
