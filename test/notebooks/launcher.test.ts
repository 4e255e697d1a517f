/** The launcher kernel, spoken to in Jupyter's own protocol. The oracle is the protocol's documentation. */
import { execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Exchange, executeRequest, KernelClient, LAUNCHER } from "./launcher-client.ts";

// Programs are started here; a busy machine is slow and not wrong.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const kinds = ({ published }: Exchange): string[] => published.map((message) => message.type);
const printed = ({ published }: Exchange): string =>
  published.map(({ type, content }) => (type === "stream" ? String(content["text"]) : "")).join("");

describe("The launcher kernel", () => {
  let kernel: KernelClient;
  beforeAll(async () => {
    kernel = await KernelClient.start();
  });
  afterAll(() => kernel.close());

  it("says which language it speaks, so that executed notebooks say it too", async () => {
    const { reply } = await kernel.request("kernel_info_request", {});
    expect(reply).toMatchObject({ status: "ok", protocol_version: "5.3" });
    expect(reply["language_info"]).toMatchObject({ name: "typescript", file_extension: ".ts" });
  });

  it("publishes the input, what was printed and the value, with the count that the reply has", async () => {
    const done = await kernel.execute("console.log('hello'); 6 * 7");
    expect(kinds(done)).toEqual(["execute_input", "stream", "execute_result"]);
    const [input, stream, result] = done.published;
    const count = done.reply["execution_count"];
    expect(done.reply["status"]).toBe("ok");
    expect(input?.content).toEqual({ code: "console.log('hello'); 6 * 7", execution_count: count });
    expect(stream?.content).toEqual({ name: "stdout", text: "hello\n" });
    expect(result?.content).toEqual({ execution_count: count, data: { "text/plain": "42" }, metadata: {} });
    const next = await kernel.execute("1");
    expect(next.reply["execution_count"]).toBe(Number(count) + 1);
  });

  it("gives an error its name, value and trace, in a message and in the reply", async () => {
    const done = await kernel.execute("throw new RangeError('too far')");
    expect(kinds(done)).toEqual(["execute_input", "error"]);
    const { traceback, ...named } = done.published[1]?.content ?? {};
    expect(named).toEqual({ ename: "RangeError", evalue: "too far" });
    expect(traceback).toEqual(expect.arrayContaining(["RangeError: too far"]));
    expect(done.reply).toMatchObject({ status: "error", ename: "RangeError", evalue: "too far" });
  });

  it("checks types strictly and says where the mistake is", async () => {
    const done = await kernel.execute("declare function find(): string | undefined;\nfind().length");
    expect(done.reply["status"]).toBe("error");
    expect(String(done.reply["evalue"])).toMatch(/possibly 'undefined'/);
    const implicit = await kernel.execute("function f(x) { return x }");
    expect(implicit.reply["status"]).toBe("error");
  });

  it("loses no cell after an error, however fast the next one comes", async () => {
    for (let round = 0; round < 5; round++) {
      const failing = kernel.send(
        "execute_request",
        executeRequest("throw new Error('x')", { stop_on_error: false }),
      );
      const after = kernel.send("execute_request", executeRequest("'still here'"));
      await kernel.finished(failing);
      const { published, reply } = await kernel.finished(after);
      expect(reply["status"]).toBe("ok");
      expect(published.at(-1)?.content["data"]).toEqual({ "text/plain": "'still here'" });
    }
  });

  it("aborts the cells that were waiting when one failed, and only those", async () => {
    const failing = kernel.send(
      "execute_request",
      executeRequest("await new Promise((r) => setTimeout(r, 200)); throw new Error('x')"),
    );
    const waiting = kernel.send("execute_request", executeRequest("globalThis.ran = true"));
    expect((await kernel.finished(failing)).reply["status"]).toBe("error");
    expect((await kernel.finished(waiting)).reply["status"]).toBe("aborted");
    const later = await kernel.execute("'ran' in globalThis");
    expect(later.published.at(-1)?.content["data"]).toEqual({ "text/plain": "false" });
  });

  it("runs a silent cell without a count and without a word", async () => {
    const before = await kernel.execute("0");
    const silent = await kernel.execute("console.log('unheard'); 5", { silent: true, store_history: false });
    expect(silent.published).toEqual([]);
    expect(silent.reply).toMatchObject({ status: "ok", execution_count: before.reply["execution_count"] });
  });

  it("stops an endless loop when asked and keeps what was there", async () => {
    await kernel.execute("let kept = 41;");
    const endless = kernel.send(
      "execute_request",
      executeRequest("kept += 1; console.log('spinning'); while (true) {}"),
    );
    await kernel.until(() => kernel.published(endless).some(({ type }) => type === "stream"));
    const { reply } = await kernel.request("interrupt_request", {}, "control");
    expect(reply["status"]).toBe("ok");
    expect((await kernel.finished(endless)).reply["status"]).toBe("error");
    const after = await kernel.execute("kept");
    expect(after.published.at(-1)?.content["data"]).toEqual({ "text/plain": "42" });
  });

  it("completes and explains names of earlier cells, also while a cell runs", async () => {
    await kernel.execute(
      "/** Counts the harts. */\nfunction countHarts(limit: number): string { return String(limit) }",
    );
    const busy = kernel.send(
      "execute_request",
      executeRequest("console.log('busy'); await new Promise((r) => setTimeout(r, 1500));"),
    );
    await kernel.until(() => kernel.published(busy).some(({ type }) => type === "stream"));
    const code = "const 🚪 = 1; countHa";
    const cursor = [...code].length;
    const { reply } = await kernel.request("complete_request", {
      code: code.replace("🚪", "d"),
      cursor_pos: cursor,
    });
    expect(reply).toMatchObject({
      status: "ok",
      matches: ["countHarts"],
      cursor_start: cursor - 7,
      cursor_end: cursor,
    });
    const text = "'🚪🚪'; countHarts(3).toUpp";
    const method = await kernel.request("complete_request", { code: text, cursor_pos: [...text].length });
    expect(method.reply).toMatchObject({ matches: ["toUpperCase"], cursor_start: [...text].length - 5 });
    const inspected = await kernel.request("inspect_request", {
      code: "countHarts",
      cursor_pos: 4,
      detail_level: 0,
    });
    expect(inspected.reply["found"]).toBe(true);
    expect(String((inspected.reply["data"] as Record<string, unknown>)["text/plain"])).toMatch(
      /function countHarts\(limit: number\): string[\s\S]*Counts the harts/,
    );
    expect(
      kernel
        .published(busy)
        .some(({ type, content }) => type === "status" && content["execution_state"] === "idle"),
    ).toBe(false);
    await kernel.finished(busy);
  });

  it("shows bundles with all their representations, and replaces one in place", async () => {
    const figure = "{ 'application/vnd.plotly.v1+json': { data: [], layout: {} }, 'text/plain': 'a chart' }";
    const done = await kernel.execute(
      `import { show } from "dom0-kit"; show(${figure}); show({ 'text/plain': '1' }, { displayId: 'd' }); show({ 'text/plain': '2' }, { displayId: 'd', update: true });`,
    );
    expect(kinds(done)).toEqual(["execute_input", "display_data", "display_data", "update_display_data"]);
    expect(done.published[1]?.content["data"]).toEqual({
      "application/vnd.plotly.v1+json": { data: [], layout: {} },
      "text/plain": "a chart",
    });
    expect(done.published[3]?.content).toMatchObject({
      transient: { display_id: "d" },
      data: { "text/plain": "2" },
    });
  });

  it("loses none of 20,000 printed lines and does not send one message each", async () => {
    const done = await kernel.execute("for (let i = 0; i < 20_000; i++) console.log(i);");
    const lines = printed(done).trimEnd().split("\n");
    expect(lines).toHaveLength(20_000);
    expect(lines.at(-1)).toBe("19999");
    expect(done.published.length).toBeLessThan(500);
  });

  it("tells a half-written cell from a whole one", async () => {
    const half = await kernel.request("is_complete_request", { code: "function f() {" });
    expect(half.reply["status"]).toBe("incomplete");
    const whole = await kernel.request("is_complete_request", { code: "function f() {}" });
    expect(whole.reply["status"]).toBe("complete");
  });

  it("answers the requests that plain tslab leaves unanswered", async () => {
    expect((await kernel.request("history_request", { hist_access_type: "tail", n: 1 })).reply).toEqual({
      status: "ok",
      history: [],
    });
    expect((await kernel.request("comm_info_request", {})).reply).toEqual({ status: "ok", comms: {} });
  });

  it("survives a cell that ends its process, and says what happened", async () => {
    const own = await KernelClient.start();
    const done = await own.execute("process.exit(3)");
    expect(done.reply).toMatchObject({ status: "error", ename: "KernelDied" });
    expect(String(done.reply["evalue"])).toContain("process.exit(3)");
    await own.close();
  });
});

describe("The life of a launcher kernel", () => {
  const children = (pid: number): number[] => {
    const listed = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    return listed
      .trim()
      .split(/\s+/)
      .filter((text) => text !== "")
      .map(Number);
  };
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  const gone = async (pid: number): Promise<boolean> => {
    for (let tries = 0; tries < 100 && isAlive(pid); tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    return !isAlive(pid);
  };

  it("ends its process and its child at a shutdown request", async () => {
    const kernel = await KernelClient.start();
    await kernel.execute("1");
    const [child = 0] = children(kernel.child.pid ?? 0);
    expect(isAlive(child)).toBe(true);
    await kernel.close();
    expect(kernel.child.exitCode).toBe(0);
    expect(await gone(child)).toBe(true);
  });

  it("ends when the program that started it is killed, even in the middle of an endless cell", async () => {
    const go = [
      process.execPath,
      "-e",
      `
      const { spawn } = require("node:child_process");
      const child = spawn(process.argv[1], process.argv.slice(2), { stdio: "inherit", detached: true });
      console.error("pid " + child.pid);
      setInterval(() => {}, 1000);
    `,
    ];
    const kernel = await KernelClient.start(undefined, [...go, ...LAUNCHER]);
    const pid = Number(/pid (\d+)/.exec(kernel.stderr)?.[1]);
    const endless = kernel.send("execute_request", executeRequest("console.log('on'); while (true) {}"));
    await kernel.until(() => kernel.published(endless).some(({ type }) => type === "stream"));
    const [executor = 0] = children(pid);
    expect([isAlive(pid), isAlive(executor)]).toEqual([true, true]);
    kernel.child.kill("SIGKILL");
    expect([await gone(pid), await gone(executor)]).toEqual([true, true]);
    await kernel.close();
  });

  it.each([
    ["no connection file", [], /Usage: launcher/],
    ["a file that is no connection file", ["bad.json"], /bad\.json is no connection file/],
  ])("refuses to start with %s, in one line", async (_, args, message) => {
    const folder = tmpdir();
    writeFileSync(path.join(folder, "bad.json"), "{");
    const [program = "", ...rest] = LAUNCHER;
    const child = spawn(program, [...rest, ...args], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code).toBe(1);
    expect(stderr.trim()).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
