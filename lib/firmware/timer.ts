/** TIME: supervisor mode's timer. It has one of its own (Sstc) and need not ask; who asks gets that one. @spec SBI 2.0 "Timer Extension" */
import { type SbiAnswer, type SbiCall, type SbiExtension, success } from "./sbi.ts";

/** Sets the time of the next timer interrupt; one that is pending goes away if that time is still to come. */
export function setTimer({ context, argument }: SbiCall): SbiAnswer {
  context.csr.write("stimecmp", argument(0));
  return success();
}

export const timer: SbiExtension = { id: 0x5449_4d45n, name: "TIME", functions: [setTimer] };
