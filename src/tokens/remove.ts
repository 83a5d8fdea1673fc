import { logoutRemoval } from "./eligibility.ts";
import { type HeldFile, removeHeld } from "./hold.ts";
import type { Obstacle } from "./reason.ts";
import type { Registry } from "./registry.ts";

/** What became of the plaintext token at a logout. */
export type PlaintextRemoval =
  | { readonly kind: "removed" }
  | { readonly kind: "none" }
  /** Another program keeps the file, and may be moving a token into the store. */
  | { readonly kind: "busy" }
  /** It is still there. */
  | {
    readonly kind: "left";
    readonly why: Obstacle;
    /**
     * Whether `cargo:token` must not be let at it: it is the token of another
     * registry, whose name a project has taken.
     */
    readonly foreign: boolean;
  };

/** Removes the plaintext token at a logout from a file that is held. */
export async function removePlaintext(
  registry: Registry,
  file: HeldFile,
): Promise<PlaintextRemoval> {
  const { table, token } = await registry.plaintext();
  if (token === "none" || table === undefined) return { kind: "none" };
  const verdict = logoutRemoval({
    isMapped: await registry.isMapped(),
    isBoundElsewhere: await registry.rebinding() !== "none",
    file: (await registry.session.surroundings()).file,
  });
  if (verdict.kind === "not-removable") {
    return { kind: "left", why: verdict, foreign: verdict.foreign };
  }
  const removal = await removeHeld(file, table);
  return removal.kind === "left" ? { ...removal, foreign: false } : removal;
}
