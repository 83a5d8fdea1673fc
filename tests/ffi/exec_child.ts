// Becomes the program in its arguments, with one more variable.
import { replaceProcess } from "../../ffi/exec.ts";

Deno.env.set("PLANTED", "planted value");
const [file = "", ...args] = Deno.args;
const failure = replaceProcess([file, ...args]);
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(failure)));
