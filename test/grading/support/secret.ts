/** A file outside the kit, as an instructor's is: its content must never reach a student, not even in a type error. */
export const SECRET = "only-the-oracle-knows";
