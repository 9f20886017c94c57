import { sentences } from "../define";

export const network = sentences({
  title: { zh: "网络自测", en: "Network self-test" },
  lead: {
    zh: "看看从这间教室能走哪些路。约需 20 秒，不影响上课。",
    en: "Which roads work from this room? It takes some 20 s and disturbs no lesson.",
  },
  start: { zh: "开始测试", en: "Test now" },
  again: { zh: "再测一次", en: "Test again" },
  running: { zh: "正在测试…", en: "Testing…" },
  https: { zh: "网页与延迟直播（HTTPS）", en: "Pages and delayed broadcast (HTTPS)" },
  udp: { zh: "直连（UDP，最好）", en: "Straight line (UDP, the best)" },
  tcp: { zh: "直连（TCP）", en: "Straight line (TCP)" },
  turn: { zh: "经中继（443 端口）", en: "Through the relay (port 443)" },
  waiting: { zh: "等待", en: "waiting" },
  works: { zh: "通", en: "works" },
  closed: { zh: "不通", en: "closed" },
  absent: { zh: "未配置", en: "not set up" },
  roundTrip: { zh: "往返 {n} 毫秒", en: "round trip {n} ms" },
  loss: { zh: "丢失 {n}%", en: "{n} % lost" },
  after: { zh: "{n} 秒接通", en: "connected after {n} s" },
  down: { zh: "下行 {rate}", en: "{rate} down" },
  up: { zh: "上行 {rate}", en: "{rate} up" },
  rate: { zh: "每秒 {n} 兆位（Mbit/s）", en: "{n} Mbit/s" },
  orMore: { zh: "{n} Mbit/s 以上", en: "{n} Mbit/s or more" },
  verdictUdp: { zh: "一切正常，可以上课。", en: "All is well for lessons." },
  verdictTcp: {
    zh: "能上课。防火墙拦了 UDP，网络拥挤时画面可能卡；请管理员放行到服务器媒体端口的 UDP。",
    en: "Lessons work. The firewall stops UDP, so a crowded line may stutter: ask for UDP to the server’s media ports.",
  },
  verdictTurn: {
    zh: "能上课，但要绕经中继。请管理员放行到服务器媒体端口的 UDP 或 TCP。",
    en: "Lessons work by the relay. Ask for UDP or TCP to the server’s media ports.",
  },
  verdictHls: {
    zh: "只能看晚几秒的直播，不能发言。请管理员放行到服务器媒体端口的 UDP 或 TCP。",
    en: "Only the broadcast, some seconds late, and no voice back. Ask for UDP or TCP to the server’s media ports.",
  },
  verdictNone: { zh: "服务器没有回应，请检查网线。", en: "The server does not answer: check the cable." },
  notYours: {
    zh: "请先在这块屏幕上输入教室码，或登录，再来测试。",
    en: "Type the room’s code on this screen, or log in, then test.",
  },
  slow: { zh: "下行低于 3 Mbit/s：高清画面会自动调小。", en: "Below 3 Mbit/s down: pictures are made smaller by themselves." },
  back: { zh: "返回", en: "Back" },
});
