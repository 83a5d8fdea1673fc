// Pins URLs, one update each, and prints `1` for each that was recorded.
// Run as a process of its own: CARGO_HOME NAME COUNT PATIENCE.
import { updateState } from "../../src/state/file.ts";
import { pin } from "../../src/state/pins.ts";

const [home = "", name = "", count = "", patience = ""] = Deno.args;
for (let i = 0; i < Number(count); i++) {
  const recorded = await updateState(
    home,
    (state) => pin(state, `${name}/${i}`),
    { patienceMs: Number(patience) },
  );
  Deno.stdout.writeSync(new TextEncoder().encode(recorded ? "1" : "0"));
}
