/** What `dom0 doctor --help` prints, with --replay and without. */
export declare const DOCTOR_USAGE: string;
/** Prints what is installed. Returns 0 when the kit can run. */
export declare function doctor(args: readonly string[]): number;
