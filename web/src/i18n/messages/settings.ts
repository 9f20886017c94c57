import { sentences } from "../define";

export const settings = sentences({
  title: { zh: "设置", en: "Settings" },
  password: { zh: "修改密码", en: "Change your password" },
  passwordLead: { zh: "修改后，其他设备上的登录都会退出。", en: "Your log-ins on other devices end with it." },
  changed: { zh: "密码已修改。", en: "Your password is changed." },
  sessions: { zh: "您的登录", en: "Your log-ins" },
  here: { zh: "就是这里", en: "this one" },
  seen: { zh: "最近 {time}", en: "seen {time}" },
  end: { zh: "退出它", en: "End it" },
  endAll: { zh: "全部退出", en: "Log out everywhere" },
  tokens: { zh: "程序用的令牌", en: "Tokens for programs" },
  tokensLead: {
    zh: "程序凭令牌以您的身份使用接口，只限所选的范围，90 天有效。接口说明：/api/v1/openapi.json",
    en: "With a token a program acts as you, within the scopes chosen, for 90 days. The interface: /api/v1/openapi.json",
  },
  tokenName: { zh: "给哪个程序用", en: "For which program" },
  scopes: { zh: "范围", en: "Scopes" },
  make: { zh: "新建令牌", en: "Make a token" },
  told: { zh: "令牌：{token}。只显示这一次，请现在复制。", en: "The token: {token}. It is shown this once: copy it now." },
  revoke: { zh: "作废", en: "Revoke" },
  never: { zh: "从未使用", en: "never used" },
  used: { zh: "{time} 用过", en: "used {time}" },
});
