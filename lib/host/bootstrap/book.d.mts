/** Builds the book unless it is built; resolves to whether it was. */
export declare function ensureBook(): Promise<boolean>;
