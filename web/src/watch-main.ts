/** The light entry of phones and second screens: the broadcast, the phone remote, the wall. */
import { createApp } from "vue";
import type { Component } from "vue";

import "./style/tokens.css";
import "./style/base.css";

import { chooseLanguage } from "./i18n/say";
import GuestPage from "./pages/watch/GuestPage.vue";
import RemotePage from "./pages/remote/RemotePage.vue";
import WallPage from "./pages/wall/WallPage.vue";
import WatchPage from "./pages/watch/WatchPage.vue";
import { pageAddress } from "./state/fragment";

const PAGES: Record<string, Component> = { watch: WatchPage, guest: GuestPage, remote: RemotePage, wall: WallPage };

const address = pageAddress(location.hash);
const [door = "", lesson = ""] = location.pathname.split("/").filter((part) => part !== "");
chooseLanguage(address.fragment);
createApp(PAGES[door] ?? WatchPage, { address, lesson }).mount("#app");
