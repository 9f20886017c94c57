/** The kiosk's entry: Vue and nothing heavier, for wall panels whose browser stopped at Chrome 79. */
import { createApp } from "vue";

import "./style/tokens.css";
import "./style/base.css";

import { chooseLanguage } from "./i18n/say";
import RoomPage from "./pages/room/RoomPage.vue";
import { readAddress } from "./pages/room/address";

const address = readAddress(location, safeStorage());
chooseLanguage(address.parameters);
createApp(RoomPage, { address }).mount("#app");

function safeStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // a browser that forbids storage: the code is asked for at each start
  }
}
