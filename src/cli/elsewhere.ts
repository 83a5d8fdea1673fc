import { nameInUse } from "../tokens/names.ts";
import type { CommandSession, StorePlace } from "./session.ts";

/** As many as a sentence can name. */
const MOST_NAMED = 3;

/**
 * The URLs that a store has tokens for and no name of the user's leads to, as
 * far as they may be what a name led to before. Empty if there are none, or if
 * that is not known.
 */
export async function findElsewhere(
  name: string,
  { store, deadline }: StorePlace,
  session: CommandSession,
): Promise<string> {
  const listed = await store.list({ signal: deadline() });
  if (listed.kind !== "items") return "";
  const layers = await session.config();
  const orphans = listed.items.filter((item) =>
    (item.name ?? name) === name &&
    nameInUse(layers, session.cwd(), item.indexUrl) === undefined
  );
  const named = orphans.filter((item) => item.name === name);
  return (named.length > 0 ? named : orphans)
    .map(({ indexUrl }) => indexUrl).slice(0, MOST_NAMED).join(" and ");
}
