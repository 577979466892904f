/**
 * The galaxy's offers, ware by ware: where it is cheapest to buy and where most is paid. Pure: view in, rows out.
 *
 * @import {Id, View} from "./types"
 */

/** @typedef {{station: Id, price: number, units: number}} Offer units: in stock, or room for them */
/**
 * @typedef {{ware: Id, ask: Offer | null, bid: Offer | null}} WareOffers ask: cheapest seller; bid: best paying buyer
 */

/**
 * The best offers of every ware, in the order of the wares.
 * @param {View} view
 * @returns {WareOffers[]}
 */
export function bestOffers(view) {
  /** @type {Map<Id, WareOffers>} */
  const rows = new Map(Object.keys(view.wares).map((ware) => [ware, { ware, ask: null, bid: null }]));
  for (const [id, station] of Object.entries(view.stations)) {
    for (const ware of station.sells ?? []) {
      const row = rows.get(ware);
      const units = station.stock?.[ware] ?? 0;
      const price = station.price?.[ware];
      if (row && price !== undefined && units > 0 && (!row.ask || price < row.ask.price))
        row.ask = { station: id, price, units };
    }
    for (const ware of station.buys ?? []) {
      const row = rows.get(ware);
      const units = (station.capacity?.[ware] ?? 0) - (station.stock?.[ware] ?? 0);
      const price = station.price?.[ware];
      if (row && price !== undefined && units > 0 && (!row.bid || price > row.bid.price))
        row.bid = { station: id, price, units };
    }
  }
  return [...rows.values()].filter(({ ask, bid }) => ask || bid);
}
