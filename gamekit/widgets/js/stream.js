/** The model that news of a game comes through. It shows nothing; widgets listen to it (`mirror.js`). */

export default { initialize() {} };
