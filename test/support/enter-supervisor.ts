/** Assembly: all memory is open (PMP), `satp` is the Sv39 table at 0x80100000, and supervisor mode begins at the label `supervisor`. */
export const ENTER_SUPERVISOR = `
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x8000000000080100
    csrw satp, t0
    li t0, 0x1800
    csrrc zero, mstatus, t0
    li t0, 0x800
    csrrs zero, mstatus, t0
    la t0, supervisor
    csrw mepc, t0`;
