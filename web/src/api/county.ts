/** Units, people, consent, one's own account over REST. */
import { ask, sendFile } from "@/api/campus";
import type {
  ApiTokenRow,
  BondRow,
  CertificateView,
  ConsentChange,
  ConsentChanged,
  ConsentPage,
  County,
  FirstPassword,
  MadeApiToken,
  NewBond,
  NewPerson,
  NewPost,
  NewUnit,
  PeopleImported,
  PeoplePage,
  PersonChange,
  PersonRow,
  SessionRow,
  UnitChange,
  UnitRow,
} from "@/protocol/messages";

const id = encodeURIComponent;

export const county = {
  units: (closed: boolean) => ask<County>("GET", `units${closed ? "?closed=1" : ""}`),
  addUnit: (body: NewUnit) => ask<UnitRow>("POST", "units", body),
  changeUnit: (unit: string, body: UnitChange) => ask<UnitRow>("PATCH", `units/${id(unit)}`, body),
  bind: (body: NewBond) => ask<BondRow>("POST", "bonds", body),
  unbind: (body: NewBond) => ask<unknown>("POST", "bonds/end", body),
  people: (text: string, unit: string, page: number) =>
    ask<PeoplePage>("GET", `people?${new URLSearchParams({ q: text, unit, page: String(page), size: "20" }).toString()}`),
  addPerson: (body: NewPerson) => ask<FirstPassword>("POST", "people", body),
  changePerson: (person: string, body: PersonChange) => ask<PersonRow>("PATCH", `people/${id(person)}`, body),
  newPassword: (person: string) => ask<FirstPassword>("POST", `people/${id(person)}/password`),
  appoint: (person: string, body: NewPost) => ask<PersonRow>("POST", `people/${id(person)}/posts`, body),
  erasePerson: (person: string) => ask<unknown>("DELETE", `people/${id(person)}`),
  endPost: (person: string, post: number) => ask<PersonRow>("DELETE", `people/${id(person)}/posts/${post}`),
  importPeople: async (file: File, dry: boolean) =>
    (await (await sendFile(`people/import${dry ? "?dry=1" : ""}`, file)).json()) as PeopleImported,
  markedPeople: async (file: File) => await (await sendFile("people/import?marked=1", file)).blob(),
  consents: (page: number, unit = "") => ask<ConsentPage>("GET", `consents?page=${page}&size=50&unit=${id(unit)}`),
  setConsent: (unit: string, body: ConsentChange) => ask<ConsentChanged>("PUT", `consents/${id(unit)}`, body),
  certificate: () => ask<CertificateView>("GET", "certificate"),
  makeCertificate: (names: string[]) => ask<CertificateView>("POST", "certificate", { names }),
  bringCertificate: (certificate: string, key: string) => ask<CertificateView>("PUT", "certificate", { certificate, key }),
  sessions: () => ask<SessionRow[]>("GET", "me/sessions"),
  endSession: (session: string) => ask<unknown>("DELETE", `me/sessions/${id(session)}`),
  endSessions: () => ask<unknown>("DELETE", "me/sessions"),
  tokens: () => ask<ApiTokenRow[]>("GET", "me/tokens"),
  makeToken: (name: string, scopes: string[]) => ask<MadeApiToken>("POST", "me/tokens", { name, scopes }),
  revokeToken: (token: string) => ask<unknown>("DELETE", `me/tokens/${id(token)}`),
};
