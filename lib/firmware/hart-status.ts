/** States of a hart, as `sbi_hart_get_status` returns them. @spec SBI 2.0 "HSM Hart States" */
export const HartStatus = {
  STARTED: 0n,
  STOPPED: 1n,
  START_PENDING: 2n,
  STOP_PENDING: 3n,
  SUSPENDED: 4n,
  SUSPEND_PENDING: 5n,
  RESUME_PENDING: 6n,
} as const;
