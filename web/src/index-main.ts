import { createApp } from "vue";

import "./style/tokens.css";
import "./style/base.css";

import { installI18n, i18n } from "./i18n/main";
import { chooseLanguage } from "./i18n/say";
import App from "./pages/App.vue";
import { router } from "./pages/router";

chooseLanguage(new URLSearchParams(location.hash.slice(1)));
installI18n();
createApp(App).use(i18n).use(router).mount("#app");
