/** What editors show of the hypervisor extension (H); see methods.ts. */

/** A hypervisor's accesses to its guest's memory, and its fences, by method name. */
export interface HypervisorForms {
  /** Load a byte as the guest would, sign-extended. */
  hlv_b: "loadReserved";
  /** Load a byte as the guest would, zero-extended. */
  hlv_bu: "loadReserved";
  /** Load 16 bits as the guest would, sign-extended. */
  hlv_h: "loadReserved";
  /** Load 16 bits as the guest would, zero-extended. */
  hlv_hu: "loadReserved";
  /** Load 16 bits that the guest may execute, zero-extended. */
  hlvx_hu: "loadReserved";
  /** Load 32 bits as the guest would, sign-extended. */
  hlv_w: "loadReserved";
  /** Load 32 bits as the guest would, zero-extended. */
  hlv_wu: "loadReserved";
  /** Load 32 bits that the guest may execute, zero-extended. */
  hlvx_wu: "loadReserved";
  /** Load 64 bits as the guest would. */
  hlv_d: "loadReserved";
  /** Store the low byte of `rs2` as the guest would. */
  hsv_b: "storeAt";
  /** Store the low 16 bits of `rs2` as the guest would. */
  hsv_h: "storeAt";
  /** Store the low 32 bits of `rs2` as the guest would. */
  hsv_w: "storeAt";
  /** Store `rs2` as the guest would. */
  hsv_d: "storeAt";
  /** Order changes of the guest's own page tables before later accesses; optionally of one address, one ASID. */
  hfence_vvma: "addressFence";
  /** Order changes of the second stage's page tables; optionally of one guest-physical address (shifted right by 2), one VMID. */
  hfence_gvma: "addressFence";
}
