// The admin page: every game of the server, with its controls. Owns no state but the token of the address.

const TICK_HZ = 10;
const REFRESH_MS = 2000;
const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const table = /** @type {HTMLTableElement} */ (document.getElementById("games"));
const body = /** @type {HTMLTableSectionElement} */ (table.tBodies[0]);

/**
 * @typedef {{id: string, name: string, scenario: unknown, seed: number, tick: number | null, seq: number | null,
 *   players: {id: string, name: string}[], connections: number, speed?: number, paused?: boolean, open: boolean}} Game
 */

/**
 * @param {string} path @param {object} [send]
 * @returns {Promise<any>}
 */
async function call(path, send) {
  const answer = await fetch(path, {
    method: send ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: send ? JSON.stringify(send) : undefined,
  });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.detail ?? answer.statusText);
  return value;
}

/** @param {number | null} tick */
function gameTime(tick) {
  if (tick === null) return "asleep";
  const seconds = Math.floor(tick / TICK_HZ);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** @param {HTMLTableRowElement} row @param {string} text @param {string} [className] */
function cell(row, text, className) {
  const made = row.insertCell();
  made.textContent = text;
  if (className) made.className = className;
  return made;
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
      status.textContent = String(error instanceof Error ? error.message : error);
    }
  });
  parent.append(button);
}

/** @param {Game} game */
function show(game) {
  const row = body.insertRow();
  const name = row.insertCell();
  const link = document.createElement("a");
  link.href = `play/${encodeURIComponent(game.id)}`;
  link.textContent = game.name;
  const id = document.createElement("small");
  id.textContent = `${game.id}, seed ${game.seed}`;
  name.append(link, id);
  cell(row, typeof game.scenario === "string" ? game.scenario : JSON.stringify(game.scenario ?? "nearest-stars"));
  cell(row, gameTime(game.tick), "number");
  cell(row, game.seq === null ? "" : String(game.seq), "number");
  cell(row, String(game.players.length), "number");
  cell(row, String(game.connections), "number");
  cell(row, !game.open ? "" : game.paused ? "paused" : `${game.speed}x`);
  const controls = row.insertCell();
  const at = `api/game/${encodeURIComponent(game.id)}`;
  if (game.paused) {
    control(controls, "Resume", `${at}/resume`, {});
    control(controls, "Step 1 s", `${at}/step`, { ticks: TICK_HZ });
  } else {
    control(controls, "Pause", `${at}/pause`, {});
  }
  for (const speed of [1, 10, 100]) control(controls, `${speed}x`, `${at}/speed`, { speed });
}

async function refresh() {
  const { games } = /** @type {{games: Game[]}} */ (await call("api/games"));
  body.replaceChildren();
  games.reverse().forEach(show);
  table.hidden = games.length === 0;
  status.textContent = games.length ? "" : "No game yet. Make one on the player page.";
}

async function loop() {
  try {
    await refresh();
  } catch (error) {
    status.textContent = `${error instanceof Error ? error.message : error} Open the admin address that the server printed.`;
  }
  setTimeout(loop, REFRESH_MS);
}

void loop();
