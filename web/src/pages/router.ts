import { createRouter, createWebHistory } from "vue-router";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", name: "first", component: () => import("./first/FirstPage.vue") },
    { path: "/studio/:lesson?", name: "studio", component: () => import("./studio/StudioPage.vue"), props: true },
    { path: "/replay/:lesson", name: "replay", component: () => import("./replay/ReplayPage.vue"), props: true },
    { path: "/lessons", name: "lessons", component: () => import("./desk/LessonsPage.vue") },
    { path: "/receipt/:lesson", name: "receipt", component: () => import("./replay/ReceiptPage.vue"), props: true },
    { path: "/library", name: "library", component: () => import("./library/LibraryPage.vue") },
    { path: "/network", name: "network", component: () => import("./network/NetworkPage.vue") },
    { path: "/cameras/:room", name: "cameras", component: () => import("./cameras/CamerasPage.vue"), props: true },
    { path: "/rooms", name: "rooms", component: () => import("./rooms/RoomsPage.vue") },
    { path: "/alarms", name: "alarms", component: () => import("./alarms/AlarmsPage.vue") },
    { path: "/rehearsals", name: "rehearsals", component: () => import("./rehearsals/RehearsalsPage.vue") },
    { path: "/people", name: "people", component: () => import("./people/PeoplePage.vue") },
    { path: "/registers/:kind?", name: "registers", component: () => import("./registers/RegisterPage.vue"), props: true },
    { path: "/settings", name: "settings", component: () => import("./settings/SettingsPage.vue") },
    { path: "/day", name: "day", component: () => import("./day/MyDayPage.vue") },
    { path: "/timetable", name: "timetable", component: () => import("./timetable/TimetablePage.vue") },
    { path: "/timetable/import", name: "import", component: () => import("./timetable/ImportPage.vue") },
    { path: "/login", name: "login", component: () => import("./desk/LoginPage.vue") },
    { path: "/:rest(.*)*", redirect: "/" },
  ],
});
