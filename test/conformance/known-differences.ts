/** Where QEMU fails a program of ours and the manual says that the program is right. A difference that vanishes is an error too. */

/** What the manual says, by program. */
type Differences = Readonly<Record<string, string>>;

const MPV =
  "CSR writes leave mstatus.MPV alone; norm:mstatus_mpv_op: MRET sets V to MPV, and no rule makes the field read-only";
const HLVX =
  "HLVX raises an instruction page fault; the note at norm:hlsv_u_op: it raises the same exceptions as other loads";
const HGATP = "hgatp keeps PPN[1:0]; norm:hgatp_ppn_op: the lowest two bits always read as zeros";

/** QEMU 10.0. */
export const NEWER_QEMU_DIFFERENCES: Differences = {
  "h-hgatp": HGATP,
  "h-mprv": MPV,
  "h-mpv": MPV,
  "hlvx.hu": HLVX,
  "hlvx.wu": HLVX,
};

const READ_ONLY =
  "CSRRS and CSRRC of a register that holds 0 do not count as writes; norm:csrrs_csrrc_rs1_x0: only x0 does not write";

/** QEMU 7.2. Its hypervisor extension is not compared: the newer one's is. */
export const QEMU_DIFFERENCES: Differences = {
  csrrc: READ_ONLY,
  csrrs: READ_ONLY,
  ctzw: "counts on into the upper half of the register; norm:ctzw_op: 32 when the lower half is zero",
  "czero.eqz": "Zicond is younger than QEMU 7.2",
  "czero.nez": "Zicond is younger than QEMU 7.2",
};
