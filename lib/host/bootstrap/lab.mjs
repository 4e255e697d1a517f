#!/usr/bin/env node
/**
 * `npm run lab`: JupyterLab in `.venv`, with the course's kernel registered inside it and nowhere else.
 *
 * Makes what is missing, says what it does, and may be interrupted at any moment: `.venv` counts as made only when
 * its stamp is written. `--prepare` stops before JupyterLab opens. Nothing of the user's own Jupyter is touched.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import {
  ensureBuilt,
  ensureInstalled,
  main,
  modernNode,
  ROOT,
  run,
  step,
  UserError,
  withLock,
} from "./environment.mjs";

const OLDEST_PYTHON = [3, 9];
const VENV = path.join(ROOT, ".venv");
const BIN = path.join(VENV, process.platform === "win32" ? "Scripts" : "bin");
const STAMP = path.join(VENV, ".dom0-stamp");
const REQUIREMENTS = path.join(ROOT, "lib/host/kernel/requirements.txt");
const CONSTRAINTS = path.join(ROOT, "lib/host/kernel/constraints.txt");
const ASK_PYTHON = "import sys, venv, ensurepip; print(*sys.version_info[:3], sys.executable)";

/**
 * The first Python that is new enough and can make a virtual environment: $PYTHON, else python3, else python.
 * @returns {Promise<{version: number[], program: string}>}
 */
async function findPython() {
  const complaints = [];
  for (const program of [process.env["PYTHON"], "python3", "python"].filter(Boolean)) {
    const answer = await run(program, ["-c", ASK_PYTHON], { quiet: true, stdin: "ignore" }).catch(
      () => undefined,
    );
    if (answer === undefined) continue;
    if (answer.code !== 0) {
      complaints.push(`${program} cannot make virtual environments (on Debian: apt install python3-venv)`);
      continue;
    }
    const [major, minor, patch, ...where] = answer.output.trim().split(" ");
    const version = [Number(major), Number(minor), Number(patch)];
    if (isNewEnough(version)) return { version, program: where.join(" ") };
    complaints.push(`${program} is Python ${version.join(".")}`);
  }
  const found = complaints.length === 0 ? "none was found" : complaints.join("; ");
  throw new UserError(
    `JupyterLab needs Python ${OLDEST_PYTHON.join(".")} or newer: ${found}. Install one, or point PYTHON at it. ` +
      "The course itself needs no Python: npm start.",
  );
}

const isNewEnough = ([major, minor]) =>
  major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]);

const wantedStamp = () =>
  createHash("sha256")
    .update(readFileSync(REQUIREMENTS))
    .update(readFileSync(CONSTRAINTS))
    .update(VENV)
    .digest("hex");

const isMade = () =>
  existsSync(STAMP) && readFileSync(STAMP, "utf8") === wantedStamp() && existsSync(path.join(BIN, "jupyter"));

/** Makes `.venv` with the pinned packages, unless this very list is installed there already. */
async function ensureVenv() {
  if (isMade()) return;
  await withLock("lab", async () => {
    if (isMade()) return;
    const { version, program } = await findPython();
    await step(`Making .venv with Python ${version.join(".")}`, async () => {
      const { code, output } = await run(program, ["-m", "venv", "--clear", VENV], {
        quiet: true,
        stdin: "ignore",
      });
      if (code !== 0) throw new UserError(`Python could not make .venv: ${lastLine(output)}`);
    });
    const pins = version[0] > 3 || version[1] >= 11 ? ["-c", CONSTRAINTS] : [];
    await step("Installing JupyterLab, nbconvert and nbgrader (once, one to five minutes)", async () => {
      const pip = [
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "-r",
        REQUIREMENTS,
        ...pins,
      ];
      const { code, output } = await run(path.join(BIN, "python"), pip, { quiet: true, stdin: "ignore" });
      if (code !== 0) throw new UserError(pipFailure(output));
    });
    // JupyterLab runs a script of its own under Node, which must not take our "type": "module" for its own.
    writeFileSync(path.join(VENV, "package.json"), '{ "type": "commonjs" }\n');
    writeFileSync(STAMP, wantedStamp());
  });
}

function lastLine(output) {
  return output.trim().split("\n").at(-1) ?? "";
}

function pipFailure(output) {
  if (/No space left|ENOSPC/.test(output)) {
    return "The disk is full: JupyterLab needs about 600 MB free. Make room and run npm run lab again.";
  }
  if (
    /NameResolution|Connection|Network is unreachable|timed out|ProxyError|SSLError|from versions: none/i.test(
      output,
    )
  ) {
    return "pip could not reach the package index: check the network and run npm run lab again.";
  }
  const reason =
    output
      .split("\n")
      .filter((line) => line.startsWith("ERROR:"))
      .at(-1) ?? lastLine(output);
  return `pip could not install JupyterLab: ${reason.replace(/^ERROR: */, "")}`;
}

/** What JupyterLab shows for the kernel: a door that stands ajar. */
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="12" fill="#1b3a4b"/><path d="M18 12h28v40H18z" fill="none" stroke="#f4efe6" stroke-width="4"/><path d="M18 12l17 6v40l-17-6z" fill="#e07a3f"/><circle cx="31" cy="38" r="2.2" fill="#f4efe6"/></svg>\n`;

/** The kernel's description: absolute paths, so that it starts the same from any folder and under any outer Node. */
function kernelSpec(node = modernNode()) {
  const launcher = path.join(ROOT, "lib/dist/host/kernel/launcher.js");
  return {
    argv: [node, "--disable-warning=ExperimentalWarning", launcher, "{connection_file}"],
    display_name: "TypeScript (dom0)",
    language: "typescript",
    interrupt_mode: "message",
    metadata: { debugger: false },
  };
}

/** JupyterLab as it starts for a course: it asks nobody for news and looks for no updates. A reader's settings win. */
const LAB_SETTINGS = {
  "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
};

/** Registers the kernel inside `.venv`; files are replaced whole, so that a running Jupyter never reads half of one. */
function registerKernel() {
  const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
  const files = {
    "kernels/dom0/kernel.json": json(kernelSpec()),
    "kernels/dom0/logo-svg.svg": LOGO,
    "lab/settings/overrides.json": json(LAB_SETTINGS),
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(VENV, "share/jupyter", name);
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
}

/** Where Jupyter keeps settings, secrets and sockets: inside `.venv`, so that the reader's own Jupyter stays as it is. */
const JUPYTER_HOMES = {
  JUPYTER_CONFIG_DIR: path.join(VENV, "jupyter/config"),
  JUPYTER_DATA_DIR: path.join(VENV, "jupyter/data"),
  JUPYTER_RUNTIME_DIR: path.join(VENV, "jupyter/runtime"),
};

/** Opens JupyterLab on this machine alone, in the folder of the notebooks; ends when it ends. */
async function openLab(extra) {
  const ours = ["--ServerApp.ip=127.0.0.1", `--ServerApp.root_dir=${path.join(ROOT, "notebooks")}`].filter(
    (flag) => !extra.some((given) => given.split("=")[0] === flag.split("=")[0]),
  );
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
  process.stderr.write(
    "JupyterLab opens in your browser; choose the kernel “TypeScript (dom0)”. Ctrl-C stops it.\n",
  );
  const flags = ["-m", "jupyterlab", ...ours, ...asRoot, ...extra];
  const { code } = await run(path.join(BIN, "python"), flags, { env: JUPYTER_HOMES });
  return code;
}

await main(async () => {
  const args = process.argv.slice(2);
  if (args.includes("--help")) {
    process.stdout.write(
      "Usage: npm run lab [-- --prepare | -- OPTIONS OF jupyter lab]\n\n" +
        "Makes .venv with JupyterLab and the course's kernel, then opens JupyterLab on the notebooks.\n" +
        "--prepare makes it and stops there; --find-python says which Python would be used. PYTHON names another one.\n",
    );
    return 0;
  }
  if (args.includes("--find-python")) {
    const { version, program } = await findPython();
    process.stdout.write(`${program} ${version.join(".")}\n`);
    return 0;
  }
  await ensureInstalled();
  await ensureBuilt();
  await ensureVenv();
  registerKernel();
  if (args.includes("--prepare")) {
    process.stderr.write("JupyterLab is ready in .venv: npm run lab opens it.\n");
    return 0;
  }
  return openLab(args);
});
