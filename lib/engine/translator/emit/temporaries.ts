/** Working locals, as emitters are promised them. */
import type { Code, Local } from "../wasm/code.ts";
import type { ValTypeName } from "../wasm/opcode.ts";

/** How many there are of each type. */
const EACH = 6;

/** The part of an emission that gives working locals out: each is made when it is first asked for. */
export abstract class Temporaries {
  abstract readonly code: Code;
  readonly #temps: Record<ValTypeName, (Local | undefined)[]> = { i32: [], i64: [], f32: [], f64: [] };

  temp32(index: number): Local {
    return this.#temp("i32", index);
  }

  temp64(index: number): Local {
    return this.#temp("i64", index);
  }

  tempF32(index: number): Local {
    return this.#temp("f32", index);
  }

  tempF64(index: number): Local {
    return this.#temp("f64", index);
  }

  #temp(type: ValTypeName, index: number): Local {
    if (index < 0 || index >= EACH) throw new RangeError(`there is no working local ${index}`);
    const temps = this.#temps[type];
    temps[index] ??= this.code.local(type);
    return temps[index] as Local;
  }
}
