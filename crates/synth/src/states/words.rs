//! What non-pages say.

pub(super) const STATUSES: &[(&str, &str)] = &[
    ("400", "Bad Request"),
    ("401", "Unauthorized"),
    ("403", "Forbidden"),
    ("404", "Not Found"),
    ("405", "Method Not Allowed"),
    ("408", "Request Timeout"),
    ("410", "Gone"),
    ("429", "Too Many Requests"),
    ("500", "Internal Server Error"),
    ("502", "Bad Gateway"),
    ("503", "Service Unavailable"),
    ("504", "Gateway Timeout"),
];

pub(super) const ERROR_SENTENCES: &[&str] = &[
    "The page that you asked for is not here.",
    "Something went wrong on our side. Please try again in a few minutes.",
    "You are not allowed to see this document.",
    "We looked everywhere and found nothing under this address.",
    "The server is busy with maintenance and will be back soon.",
    "A connection to the database could not be made.",
    "Your address has sent too many requests.",
    "Die Seite wurde nicht gefunden.",
    "Es ist ein unerwarteter Fehler aufgetreten.",
    "Cette page n’existe plus ou a changé d’adresse.",
    "Une erreur est survenue, merci de réessayer plus tard.",
    "No encontramos la página que busca.",
    "El servicio no está disponible en este momento.",
    "Страница не найдена.",
    "Сервер временно недоступен.",
    "お探しのページは見つかりませんでした。",
    "该页面不存在或已被删除。",
    "페이지를 찾을 수 없습니다.",
    "A página solicitada não foi encontrada.",
    "Nie znaleziono strony.",
];

pub(super) const SERVERS: &[&str] = &["webd", "httpd-lite", "frontd", "edge", "gate", "serve"];

pub(super) const BACK: &[&str] = &[
    "Back to the start page",
    "Home",
    "Zur Startseite",
    "Retour à l’accueil",
    "Volver al inicio",
    "На главную",
    "トップへ",
];

pub(super) const PLAIN_COLORS: &[(&str, &str)] = &[
    ("#222222", "#ffffff"),
    ("#555555", "#f4f4f4"),
    ("#ffffff", "#1f2937"),
    ("#1e3a5f", "#eef4fb"),
    ("#444444", "#fffbe6"),
    ("#eeeeee", "#7a1f1f"),
];

pub(super) const FAMILIES: &[&str] = &["sans-serif", "serif", "monospace", "Arial, sans-serif", "Georgia, serif"];

pub(super) const PARTS: &[&str] = &["core", "vendor/base", "src/data", "modules/shop", "lib", "public", "theme"];

pub(super) const CALLS: &[&str] =
    &["connect", "dispatch", "render", "handle", "query", "boot", "load", "route", "emit"];

pub(super) const HALVES: &[&str] = &[
    "blue", "north", "garden", "cloud", "river", "smart", "travel", "home", "green", "pixel", "sun", "market", "cafe",
    "studio",
];

pub(super) const ENDINGS: &[&str] = &["com", "net", "org", "info", "biz", "co", "site", "online"];

pub(super) const FOR_SALE: &[&str] = &[
    "This domain may be for sale.",
    "Buy this domain today.",
    "The owner has parked this domain free of charge.",
    "Make an offer for this name.",
    "Diese Domain steht zum Verkauf.",
    "Ce nom de domaine est à vendre.",
    "Este dominio está en venta.",
    "Домен продаётся.",
    "This site is coming soon.",
];

pub(super) const TOPICS: &[&str] = &[
    "Cheap flights",
    "Car insurance",
    "Online degrees",
    "Web hosting",
    "Weight loss",
    "Credit cards",
    "Home loans",
    "Dental implants",
    "Holiday cottages",
    "Used cars",
    "Language courses",
    "Solar panels",
    "Moving companies",
    "Pet food",
    "Garden furniture",
    "Mobile phones",
];

pub(super) const CONSENT: &[&str] = &[
    "We and our partners store information on your device.",
    "We use cookies to improve this site and to show you what may interest you.",
    "Your privacy matters to us.",
    "You can change your choice at any time in the settings.",
    "Please confirm that you are at least 18 years old.",
    "Sign in to read on.",
    "Subscribe to our newsletter and get ten per cent off your first order.",
    "Turn off your ad blocker to continue.",
    "Wir verwenden Cookies, um Inhalte zu verbessern.",
    "Nous utilisons des témoins de connexion pour mesurer l’audience.",
    "Utilizamos cookies propias y de terceros.",
    "Мы используем файлы cookie.",
    "当サイトではクッキーを使用しています。",
    "Questo sito utilizza cookie tecnici e di profilazione.",
];

pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("Accept all", "Reject"),
    ("I agree", "Settings"),
    ("Continue", "Leave"),
    ("Alle akzeptieren", "Ablehnen"),
    ("Tout accepter", "Refuser"),
    ("Aceptar", "Rechazar"),
    ("Принять", "Отклонить"),
    ("Sign in", "Create an account"),
    ("Subscribe", "No, thanks"),
];

pub(super) const BUTTONS: &[&str] = &["#1a56db", "#15803d", "#b91c1c", "#111827", "#7e22ce", "#c2410c", "#0f766e"];
