// The admin page: every game of the server, with its controls. Owns no state but the token of the address.

const TICK_HZ = 10;
const REFRESH_MS = 2000;
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const table = /** @type {HTMLTableElement} */ (document.getElementById("games"));
const frame = /** @type {HTMLElement} */ (document.getElementById("frame"));
const body = /** @type {HTMLTableSectionElement} */ (table.tBodies[0]);

/**
 * @typedef {{id: string, name: string, scenario: unknown, seed_text: string, tick: number | null, seq: number | null,
 *   players?: {id: string, name: string}[], connections: number, speed?: number, paused?: boolean,
 *   state: "awake" | "asleep", why_awake?: string[]}} Game
 */

/**
 * @param {string} path @param {object} [send]
 * @returns {Promise<any>}
 */
async function call(path, send) {
  const request = {
    method: send ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: send ? JSON.stringify(send) : undefined,
  };
  const answer = await fetch(path, request).catch(() => {
    throw new Error("The server does not answer. This page tries again every two seconds.");
  });
  const value = await answer.json().catch(() => ({}));
  if (answer.ok) return value;
  const advice = answer.status === 401 ? " Open the admin address that the server printed." : "";
  throw new Error(`${value.detail ?? (answer.statusText || `The server answered ${answer.status}.`)}${advice}`);
}

/** @param {unknown} error */
function complain(error) {
  status.textContent = String(error instanceof Error ? error.message : error);
}

/** @param {number | null} tick */
function gameTime(tick) {
  if (tick === null) return "asleep";
  const seconds = Math.floor(tick / TICK_HZ);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** @param {HTMLElement} parent @param {string} text @param {string} path @param {object} send */
function control(parent, text, path, send) {
  const button = document.createElement("button");
  button.textContent = text;
  button.addEventListener("click", async () => {
    try {
      await call(path, send);
      await refresh();
    } catch (error) {
      complain(error);
    }
  });
  parent.append(button);
}

/** One game's row. It stays the same element while its texts change, so that no click is lost to a refresh. */
class GameRow {
  /** @param {Game} game */
  constructor(game) {
    this.at = `api/game/${encodeURIComponent(game.id)}`;
    this.row = body.insertRow(0);
    const link = document.createElement("a");
    link.href = `play/${encodeURIComponent(game.id)}`;
    link.textContent = game.name;
    const id = document.createElement("small");
    id.textContent = `${game.id}, seed ${game.seed_text}`;
    const named = this.row.insertCell();
    named.className = "named";
    named.append(link, id);
    const scenario = game.scenario ?? "nearest-stars";
    this.row.insertCell().textContent = typeof scenario === "string" ? scenario : JSON.stringify(scenario);
    this.numbers = Array.from({ length: 4 }, () => this.row.insertCell());
    for (const cell of this.numbers) cell.className = "number";
    this.speed = this.row.insertCell();
    this.controls = this.row.insertCell();
    /** @type {boolean | null} */
    this.paused = null;
  }

  /** @param {Game} game */
  show(game) {
    const texts = [gameTime(game.tick), game.seq ?? "", game.players?.length ?? "", game.connections];
    texts.forEach((text, index) => {
      const cell = this.numbers[index];
      if (cell) cell.textContent = String(text);
    });
    this.speed.textContent = game.state === "asleep" ? "asleep" : game.paused ? "paused" : `${game.speed}x`;
    this.speed.title = (game.why_awake ?? []).join("\n");
    if (this.paused !== Boolean(game.paused)) this.offer(Boolean(game.paused));
  }

  /** @param {boolean} paused */
  offer(paused) {
    this.paused = paused;
    this.controls.replaceChildren();
    if (paused) {
      control(this.controls, "Resume", `${this.at}/resume`, {});
      control(this.controls, "Step 1 s", `${this.at}/step`, { ticks: TICK_HZ });
    } else {
      control(this.controls, "Pause", `${this.at}/pause`, {});
    }
    for (const speed of [1, 10, 100]) control(this.controls, `${speed}x`, `${this.at}/speed`, { speed });
  }
}

/** @type {Map<string, GameRow>} */
const rows = new Map();

async function refresh() {
  /** @type {Game[]} */
  const games = [];
  for (let after = ""; ; ) {
    const page = await call(`api/games?after=${encodeURIComponent(after)}`);
    games.push(...page.games);
    if (!page.next) break;
    after = page.next;
  }
  for (const game of games) {
    const row = rows.get(game.id) ?? new GameRow(game);
    rows.set(game.id, row);
    row.show(game);
  }
  frame.hidden = games.length === 0;
  status.textContent = games.length ? "" : "No game yet. Make one on the player page.";
}

async function loop() {
  try {
    await refresh();
  } catch (error) {
    complain(error);
  }
  setTimeout(loop, REFRESH_MS);
}

void loop();
