/**
 * The front door of the kit: everything that notebooks, assignments and the book may import.
 *
 * Browser-safe: no module reachable from here uses Node.
 */
export { type AssetSource, fetchedAssets, readAsset, setAssetSource } from "./assets/asset-source.ts";
export type { DatasetName, DatasetRow, PlottableDataset } from "./assets/dataset-schema.ts";
export { loadDataset, loadUnverifiedClaims } from "./assets/datasets.ts";
export { groupedHex, hex } from "./bits/hex.ts";
export type { ArchiveError } from "./board/archive.ts";
export type { Board } from "./board/board.ts";
export type { Breakpoint, BreakpointHit, BreakpointSpec, TouchedData } from "./board/breakpoint.ts";
export type { BreakpointError, Breakpoints } from "./board/breakpoints.ts";
export { cpioArchive } from "./board/disk/cpio-archive.ts";
export { ext2Image } from "./board/disk/ext2-image.ts";
export type { FileEntry, FileTreeError } from "./board/disk/file-tree.ts";
export { minixImage } from "./board/disk/minix-image.ts";
export type { History, HistoryOptions } from "./board/history.ts";
export { type LinuxLayout, type LinuxParts, loadLinux } from "./board/linux-boot.ts";
export type { LoadError } from "./board/load-error.ts";
export { RAM_BASE, VIRT_MAP } from "./board/memory-map.ts";
export type { Moment } from "./board/moment.ts";
export { type OpenOptions, openImage } from "./board/open-image.ts";
export { openReplay, replay } from "./board/open-replay.ts";
export type { NetworkConfig, NetworkPeer, PeripheralConfig } from "./board/peripherals.ts";
export type { Recorder, RecordingError } from "./board/recorder.ts";
export { packRecording, type Recording, unpackRecording } from "./board/recording.ts";
export type { Replay, ReplayReport } from "./board/replay.ts";
export type { Snapshot } from "./board/snapshot.ts";
export type { StepRecord } from "./board/step-record.ts";
export type { Stop } from "./board/stop.ts";
export type { Travel, TravelError } from "./board/time-travel.ts";
export { eventText, type TraceEvent } from "./board/trace-event.ts";
export { stepText } from "./board/trace-text.ts";
export { applyOverlay } from "./board/tree-overlay.ts";
export type { TurnLengths } from "./board/turns.ts";
export { type BoardConfig, buildBoard, type HartCount } from "./board/virt.ts";
export { Wire, type WireStop } from "./board/wire.ts";
export { INSNS_PER_TICK } from "./bus/clock.ts";
export { Answer, localAnswer, type Outcome } from "./checks/answer.ts";
export {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
  type PropertyVerdict,
  QUICK_INSTANCES,
  type Verdict,
  verdictText,
} from "./checks/check.ts";
export { describeInert, type Inert, isInertRecord, member, sameInert } from "./checks/inert.ts";
export { type Broken, fails, forAll, HOLDS } from "./checks/property.ts";
export { type CheckHost, check, knownChecks, registerChecks, setCheckHost } from "./checks/registry.ts";
export { describeSeed, type NamedSeed, seededWords, seedFor } from "./checks/seed.ts";
export { longChecksumCheck } from "./course/assignments/landing/checksum.ts";
export type { Mstatus } from "./course/assignments/landing/codec.ts";
export { LANDING_ASSIGNMENT } from "./course/assignments/landing/landing.ts";
export { pulse } from "./course/assignments/landing/replay.ts";
export type { CsrBits, CsrValues } from "./course/assignments/popek-goldberg/forgotten.ts";
export type { Experiment } from "./course/assignments/popek-goldberg/law.ts";
export { POPEK_GOLDBERG_ASSIGNMENT } from "./course/assignments/popek-goldberg/popek-goldberg.ts";
export { jumpOffset } from "./course/assignments/popek-goldberg/scan.ts";
export type { MonitorEvent } from "./course/assignments/popek-goldberg/true-shadow.ts";
export { SECOND_WALL_ASSIGNMENT } from "./course/assignments/second-wall/second-wall.ts";
export type { CappedGuest, HartTime } from "./course/assignments/sharing/caps.ts";
export { SHARING_ASSIGNMENT } from "./course/assignments/sharing/sharing.ts";
export type { TimerEvent } from "./course/assignments/sharing/timer.ts";
export { WALLS_ASSIGNMENT } from "./course/assignments/walls/walls.ts";
export type { Hands, TypedMachine } from "./course/assignments/xen-core/cell-types.ts";
export type { HandAsk } from "./course/assignments/xen-core/hand-office.ts";
export { XEN_CORE_ASSIGNMENT } from "./course/assignments/xen-core/xen-core.ts";
export {
  CLAIMS,
  type Claim,
  type ClaimId,
  type ClaimVerdict,
  claim,
  type Evidence,
  ledger,
} from "./course/claim.ts";
export {
  type Crossing,
  climb,
  climbEvents,
  type Ladder,
  type LadderSpan,
  type LadderStep,
  retiredIn,
} from "./course/climb.ts";
export { type CsrView, csrPicture, csrView, drawCsr } from "./course/csr-picture.ts";
export { knockOnEveryDoor, type Tally } from "./course/evidence.ts";
export { LANDING_CHECKS } from "./course/exercises/landing.ts";
export { fenceTable } from "./course/fence-table.ts";
export type { FigureBundle, PlotlySpec } from "./course/figure.ts";
export { type HeatOptions, heatMap } from "./course/heat-map.ts";
export { answer, type ExerciseId, hint, referenceAnswer } from "./course/help.ts";
export { type Instances, instance } from "./course/instances.ts";
export { interruptTable } from "./course/interrupt-table.ts";
export { buildIsland, Island, type Landing } from "./course/island.ts";
export type { IslandOptions, IslandPage } from "./course/island-image.ts";
export { drawLadder, ladder } from "./course/ladder.ts";
export { consoleView, listing } from "./course/listing.ts";
export { pageList } from "./course/page-list.ts";
export {
  type InkPair,
  type LadderMode,
  type MachinePart,
  MODE_INK,
  PAPER_INK,
  PART_INK,
  paletteCss,
} from "./course/palette.ts";
export {
  type Classification,
  classificationPicture,
  classifyMachine,
} from "./course/popek-goldberg/classification.ts";
export { type Curve, slowdownChart, slowdownCurves } from "./course/popek-goldberg/curve.ts";
export type { CsrOp, Emulated } from "./course/popek-goldberg/emulate-check.ts";
export { POPEK_GOLDBERG_CHECKS } from "./course/popek-goldberg/exercises.ts";
export type { ExitReading, ReadExit } from "./course/popek-goldberg/exit-reading.ts";
export { exitsChart } from "./course/popek-goldberg/exits-chart.ts";
export { GUEST_MEMORY, type ShadowAnswer, type ShadowFault } from "./course/popek-goldberg/fill-check.ts";
export {
  type ExitCounts,
  type ExitSlice,
  exitsOverTime,
  type GuestMachine,
  type GuestMachineOptions,
  guestMachine,
} from "./course/popek-goldberg/guest-machine.ts";
export type { Vcpu } from "./course/popek-goldberg/one-step.ts";
export type { Price } from "./course/popek-goldberg/price-check.ts";
export { type ShadowView, shadowPicture, shadowView } from "./course/popek-goldberg/shadow-picture.ts";
export { twoTruths } from "./course/popek-goldberg/two-truths.ts";
export { type Predictable, type Prediction, predict } from "./course/prediction.ts";
export { type Choice, type Question, questionsOf, quiz } from "./course/quiz.ts";
export {
  changedRegisters,
  type RegisterChange,
  readRegisters,
  registerDiff,
} from "./course/register-diff.ts";
export type { FaultOutcome, GuestFault, GuestMemory } from "./course/second-wall/demand-history.ts";
export { SECOND_WALL_CHECKS } from "./course/second-wall/exercises.ts";
export { type Exit, exitsPicture, type WatchedRun, watchExits } from "./course/second-wall/exits.ts";
export { guestFaultCard } from "./course/second-wall/fault-card.ts";
export { type GuestTouch, guestTouches } from "./course/second-wall/guest-touches.ts";
export { HANDOVER, type HandoverRun, runHandover } from "./course/second-wall/handover.ts";
export { type Built, partsTable, type ReaderParts, readerParts } from "./course/second-wall/reader-parts.ts";
export { ownerOf, type SecondPage, secondStage, setSecondBit } from "./course/second-wall/second-pages.ts";
export { readsOf } from "./course/second-wall/two-stage-machine.ts";
export type { VmEvent, VmOp } from "./course/second-wall/vm-machine.ts";
export { vmQuilt } from "./course/second-wall/vm-quilt.ts";
export { walkCostMap } from "./course/second-wall/walk-cost.ts";
export { SHARING_CHECKS } from "./course/sharing/exercises.ts";
export {
  runToSwitch,
  type SharingOptions,
  shareHart,
  shareOf,
  theftAt,
} from "./course/sharing/experiments.ts";
export { type GanttOptions, gantt } from "./course/sharing/gantt.ts";
export { BUSY, beater, keeper, sleeper } from "./course/sharing/guests.ts";
export { type Axes, type Curve as MeasuredCurve, lineChart } from "./course/sharing/line-chart.ts";
export type { GanttToRead } from "./course/sharing/read-gantt.ts";
export { NEVER_AGAIN as NEVER } from "./course/sharing/ring-check.ts";
export {
  type FairShare,
  type GuestTimer,
  type Ring,
  type Sharer,
  shareParts,
  timerParts,
} from "./course/sharing/sharing-parts.ts";
export { bootLinux, type LinuxBoot } from "./course/sharing/stock-linux.ts";
export { csrsInHart, whoseCsrs } from "./course/sharing/switch-table.ts";
export { type Span, sharesOf, type Watched, watch } from "./course/sharing/watch.ts";
export {
  type Csrs,
  type CsrWrite,
  switchParts,
  type WorldSwitch,
} from "./course/sharing/world-switch-parts.ts";
export { eventsView, traceView } from "./course/trace-view.ts";
export { type Trapped, trapCard } from "./course/trap-card.ts";
export {
  buildHost,
  type HostGuest,
  type HostOptions,
  hypercallNumber,
  type VmHost,
} from "./course/vm-host.ts";
export { type Walked, walkPicture } from "./course/walk-picture.ts";
export { WALLS_CHECKS } from "./course/walls/exercises.ts";
export type { PageEvent, PageOp } from "./course/walls/fence-machine.ts";
export { leafFor, setBit } from "./course/walls/leaf.ts";
export { type PageMap, type PageRun, type PageView, pageMap } from "./course/walls/page-map.ts";
export { pageTree } from "./course/walls/page-tree.ts";
export { permissionQuilt } from "./course/walls/quilt.ts";
export { REMAP, type RemapRun, runRemap } from "./course/walls/remap.ts";
export { rememberedPicture } from "./course/walls/remembered-picture.ts";
export { addressScatter } from "./course/walls/scatter.ts";
export { type Touch, touchesOf } from "./course/walls/touches.ts";
export { type TrapPath, trapPaths, trapPathsOf } from "./course/walls/trap-paths.ts";
export type { Access, WalkCase } from "./course/walls/walk-cases.ts";
export type { PriceSample } from "./course/xen-core/break-even.ts";
export type { EventDomain, GrantOffice } from "./course/xen-core/cell-types.ts";
export { type Census, frameCensus } from "./course/xen-core/census.ts";
export { forgetEachRule } from "./course/xen-core/entry-rules.ts";
export { eventStrip } from "./course/xen-core/event-strip.ts";
export { XEN_CORE_CHECKS } from "./course/xen-core/exercises.ts";
export { grantGraph } from "./course/xen-core/grant-graph.ts";
export type { GrantAsk } from "./course/xen-core/grant-model.ts";
export { frameMosaic } from "./course/xen-core/mosaic.ts";
export { buildOffice, Office, OfficeGuest } from "./course/xen-core/office.ts";
export type { FoundEntry, PaperEntry, PaperMachine, PaperOp } from "./course/xen-core/paper.ts";
export { measurePrices, priceChart } from "./course/xen-core/prices.ts";
export { eventParts, isLeaf } from "./course/xen-core/reader-parts.ts";
export { refereeView } from "./course/xen-core/referee-view.ts";
export { BlockStore, type BlockVersion } from "./devices/virtio/block-store.ts";
export {
  attachFirmware,
  attachPresentFirmware,
  type Firmware,
  type FirmwareOptions,
  installFirmware,
  PAYLOAD_ENTRY,
} from "./firmware/firmware.ts";
export {
  explainInterrupt,
  explainInterrupts,
  type InterruptExplanation,
  type InterruptQuestion,
} from "./hart/explain-interrupt.ts";
export type { Space } from "./hart/remembered-translations.ts";
export type { TrapEvent } from "./hart/trap-event.ts";
export { beyond, type GPA, type GVA, gpa, gva, type HPA, hpa, pageOf } from "./hs/address.ts";
export { cHeader, type HeaderContent } from "./hs/c-header.ts";
export {
  type AtomicChange,
  type CsrAccess,
  type HsContext,
  isRefused,
  type Refused,
  type SavedRegisters,
} from "./hs/context.ts";
export {
  answerHypercall,
  attachHypervisor,
  type Hypervisor,
  type HypervisorHandle,
  type HypervisorMap,
  type HypervisorModule,
  type HypervisorOptions,
  hypercallEntry,
  installHypervisor,
} from "./hs/hypervisor.ts";
export type { Guards, HypervisorLayout } from "./hs/hypervisor-layout.ts";
export { HsArea } from "./hs/hypervisor-vector.ts";
export {
  type HandlerOptions,
  type HsHandler,
  type HsHandlers,
  installHandlers,
  type Steps,
} from "./hs/install.ts";
export { onlooker } from "./hs/onlooker.ts";
export { fromSource, handlersFromSource } from "./hs/source.ts";
export {
  aligned,
  array,
  type FieldType,
  guestPointer,
  pointer,
  type Struct,
  type StructMemory,
  type StructShape,
  type StructView,
  struct,
  u8,
  u16,
  u32,
  u64,
  type ViewOf,
} from "./hs/struct.ts";
export { SaveArea, trapVector, type VectorHandlers } from "./hs/vector.ts";
export { type Gpaddr, gpaddr, type Paddr, paddr, type Vaddr, vaddr } from "./isa/address.ts";
export { type Item, label } from "./isa/assembler/item.ts";
export type { AssemblyError } from "./isa/assembler/mistake.ts";
export { type Program, program } from "./isa/assembler/program.ts";
export { assemble } from "./isa/assembler/text.ts";
export { asm } from "./isa/assembler/typed.ts";
export type { CsrFieldName, CsrName } from "./isa/csr-map.ts";
export { disassemble } from "./isa/disassemble.ts";
export type { Mnemonic } from "./isa/instructions.ts";
export type { Mode } from "./isa/mode.ts";
export type { AbiName, RegisterName } from "./isa/register.ts";
export { causeName, type ExceptionName, type InterruptName, type Trap } from "./isa/trap.ts";
export type { ExplainedPmp } from "./mmu/explain-pmp.ts";
export {
  type ExplainedGuest,
  type ExplainedGuestWalk,
  type ExplainedLevel,
  explainTranslation,
  type TranslationExplanation,
} from "./mmu/explain-translation.ts";
export { explainTrap, type TrapExplanation } from "./mmu/explain-trap.ts";
export type { FenceReport, MissingFence, PteWriter } from "./mmu/fence-report.ts";
export { type MemoryType, PTE, type PteFlag, pteFlagsText } from "./mmu/pte.ts";
export type { PteChange } from "./mmu/pte-change.ts";
export type { FailedBit, Stage } from "./mmu/walk-words.ts";
export { type Displayable, type MimeBundle, setDisplaySink, show } from "./notebook/display.ts";
export { type AmnesiaQuestion, compareAmnesia } from "./referee/amnesia.ts";
export type { IsGranted } from "./referee/frame-rules.ts";
export {
  composedLeavesOf,
  leavesOf,
  type MappedPage,
  type ReadWord,
  type Tables,
  tablesOf,
  type Walk,
  walkTo,
} from "./referee/page-tables.ts";
export { type Looks, type Referee, type RefereeOptions, referee } from "./referee/referee.ts";
export type { Text } from "./referee/text-rules.ts";
export {
  INVARIANTS,
  type Invariant,
  type Violation,
  violationText,
} from "./referee/violation.ts";
export type { Access as DeviceAccess } from "./vmm/access.ts";
export {
  type Classified,
  classify,
  type Question as ClassifierQuestion,
  violations as sensitiveUnprivileged,
} from "./vmm/classic/classify.ts";
export {
  type Classic,
  type ClassicGuest,
  type ClassicOptions,
  installClassic,
} from "./vmm/classic/monitor.ts";
export {
  type DensityPoint,
  type DensityRun,
  densityCurve,
  densityRun,
  type GuestPath,
} from "./vmm/density.ts";
export { allVcpus, isGuestRam, vcpusOf } from "./vmm/domain.ts";
export { Fault } from "./vmm/errors.ts";
export { takeFrame } from "./vmm/frames.ts";
export type { Host, Visit } from "./vmm/host.ts";
export {
  diskOf,
  giveTerminal,
  installVmm,
  printedBy,
  type Vmm,
  type VmmOptions,
  vmmModule,
} from "./vmm/hypervisor.ts";
export {
  DomainFlag,
  DomainState,
  type DomainView,
  ExitKind,
  FrameType,
  type FrameView,
  GrantFlag,
  SchedulerKind,
  VcpuState,
  type VcpuView,
  VsCsrs,
} from "./vmm/layout.ts";
export { type Guest, type LoadOptions, loadGuests } from "./vmm/loader.ts";
export type { VirtualDevice } from "./vmm/mmio.ts";
export type { Hypercall, Turn, VmmParts, Wish } from "./vmm/parts.ts";
export { ALL_RIGHTS, lookUp, mapPage, Right, unmapPage } from "./vmm/second-stage.ts";
