/** nbgrader's checksum of a cell: MD5 over source, type, flags, id and points, with Python's way to print them. */
import { createHash } from "node:crypto";
import { type CellText, isLocked, type NbgraderMetadata } from "./metadata.ts";

/** MD5 in hexadecimal, equal to nbgrader's `compute_checksum`. It finds edits; it is no secret. */
export function cellChecksum(cell: Pick<CellText, "cell_type" | "source">, meta: NbgraderMetadata): string {
  const hash = createHash("md5");
  hash.update(cell.source, "utf8");
  hash.update(cell.cell_type, "utf8");
  hash.update(pythonBool(meta.grade) + pythonBool(meta.solution) + pythonBool(isLocked(meta)));
  hash.update(meta.grade_id, "utf8");
  if (meta.grade) hash.update(pythonFloat(meta.points ?? 0));
  return hash.digest("hex");
}

const pythonBool = (value: boolean): string => (value ? "True" : "False");

/** `repr` of a Python float: shortest digits, exponent below 1e-4 and from 1e16, at least two exponent digits. */
export function pythonFloat(value: number): string {
  const [mantissa = "0", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const sign = exponent < 0 ? "-" : "+";
    return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const fixed =
    exponent < 0 ? value.toFixed(-exponent + (mantissa.split(".")[1]?.length ?? 0)) : String(value);
  return fixed.includes(".") ? fixed : `${fixed}.0`;
}
