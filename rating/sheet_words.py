"""The words of carriers' rate sheets, of any language: data for the readers of headings and cells.

All are as `folded` writes them: without case, accents and punctuation. A word means the same in
each sheet, so it stands once.
"""

import re
import unicodedata

HEADING_WORDS = {
    "prefix": (
        *("prefixes", "dial code", "dial codes", "dialcode", "dialcodes", "code", "codes"),
        *("destination code", "destination codes", "area code", "area codes", "dial prefix"),
        *("dialprefix", "number prefix", "dialing code", "dialing codes", "dialling code"),
        *("dialling codes", "full code", "dialed digits", "dialled digits", "digits"),
        *("city code", "city codes", "routing code", "number range", "number ranges", "ranges"),
        *("area prefix", "area prefixes", "city prefix", "destination prefix", "dial prefixes"),
        *("breakout code", "breakout codes", "breakout prefix", "code prefix", "prefix code"),
        *("destination prefixes", "number prefixes", "e164 prefix", "e 164 prefix", "e164"),
        *("e 164", "prefix list", "code list", "called prefix", "phone prefix", "phone code"),
        *("vorwahl", "vorwahlen", "ortsvorwahl", "zielvorwahl", "rufnummernblock", "kennzahl"),
        *("ortskennzahl", "prafix", "praefix", "nummernbereich", "indicatif", "indicatifs"),
        *("prefixe", "prefixes destination", "code destination", "code de destination"),
        *("indicatif telephonique", "prefixe destination", "prefijo", "prefijos", "codigo"),
        *("codigos", "codigo de area", "codigo de destino", "codigo destino"),
        *("prefijo destino", "codigo de marcacion", "prefixo", "prefixos", "prefisso"),
        *("prefissi", "codice", "kengetal", "netnummer", "kierunkowy"),
    ),
    "country_code": (
        *("cc", "country dial code", "country prefix", "country codes", "idd code"),
        *("landervorwahl", "laendervorwahl", "landesvorwahl", "landeskennzahl"),
        *("landerkennzahl", "landercode", "laendercode", "indicatif pays", "code pays"),
        *("indicatif du pays", "codigo de pais", "codigo pais", "prefijo pais"),
        *("prefijo de pais", "codigo do pais", "prefisso paese", "landcode"),
    ),
    "destination": (
        *("destination name", "description", "name", "zone", "location", "route name", "area"),
        *("destination description", "carrier destination", "country destination", "area name"),
        *("zone name", "country network", "region", "destinations", "country operator"),
        *("breakout name", "breakout description", "code name", "code description"),
        *("area desc", "prefix name", "prefix description", "dial code name"),
        *("destination zone", "area description", "route description", "zone description"),
        *("dest name", "dest"),
        *("ziel", "zielname", "zielland", "bezeichnung", "zielgebiet", "zielbezeichnung"),
        *("beschreibung", "libelle", "nom", "designation", "nom de la destination"),
        *("nom destination", "libelle destination", "destino", "destinos", "descripcion"),
        *("nombre", "nombre destino", "nombre de destino", "nombre del destino", "zona"),
        *("descricao", "nome", "destinazione", "descrizione", "bestemming", "omschrijving"),
    ),
    "price_per_minute": (
        *("price", "rate", "rate per minute", "price min", "rate min", "new rate", "new price"),
        *(
            "sell",
            "selling rate",
            "selling price",
            "sell rate",
            "sell price",
            "sale price",
            "per minute",
            "charge per minute",
            "tariff",
        ),
        *("minute rate", "minute price", "price per min", "rate per min", "per min"),
        *("call rate", "sell price per minute", "sell rate per minute", "retail price"),
        *("retail rate", "standard rate", "rates", "prices", "amount per minute"),
        *("offered rate", "offer rate", "your rate", "flat rate", "voice rate", "final rate"),
        *("current rate", "call price", "usd min", "eur min", "gbp min", "rate a minute"),
        *("cent min", "cents min", "ct min", "cents per minute", "cent pro minute", "ct minute"),
        *("price a minute",),
        *("preis", "preis pro minute", "preis min", "preis je minute", "minutenpreis", "tarif"),
        *("tarif pro minute", "tarif min", "tarif minute", "neuer preis", "neuer tarif"),
        *("verkaufspreis", "vk", "vk preis", "vk preis pro minute", "gesprachspreis", "prix"),
        *("prix minute", "prix min", "prix par minute", "prix a la minute"),
        *("prix de la minute", "tarif par minute", "tarif a la minute", "nouveau tarif"),
        *("nouveau prix", "prix de vente", "prix ht", "prix minute ht", "tarif ht"),
        *("prix par min", "tarif par min", "precio"),
        *("precio minuto", "precio min", "precio por minuto", "precio por min"),
        *("precio el minuto", "tarifa", "tarifa por minuto", "tarifa minuto", "tarifa min"),
        *("nueva tarifa", "nuevo precio", "precio de venta", "precio venta", "preco"),
        *("preco por minuto", "preco minuto", "preco min", "prezzo", "prezzo al minuto"),
        *("prezzo min", "prezzo minuto", "tariffa", "tariffa al minuto", "prijs"),
        *("prijs per minuut", "tarief", "tarief per minuut"),
    ),
    "initial": (
        *("initial increment", "first increment", "initial interval", "first interval", "i1"),
        *("min duration", "minimum duration", "minimum time", "interval 1", "initial period"),
        *("first period", "initial block", "init block", "initial billing", "min time"),
        *("initial charge interval", "minimum billing", "initial unit", "min"),
        *("minimum sec", "minimum secs", "minimum seconds", "minimum s", "min seconds"),
        *("mindestdauer", "mindestlange", "erster takt", "1 takt", "ersttakt", "anfangstakt"),
        *("mindesttakt", "duree minimum", "duree minimale", "premiere tranche"),
        *("palier initial", "increment initial", "premier palier"),
        *("duracion minima", "tiempo minimo", "incremento inicial", "primer intervalo"),
        *("intervalo inicial", "minimo", "1st", "first", "1st interval", "1st increment"),
        *("1st period", "1st incr", "first incr", "init", "initial incr", "min sec"),
        *("min secs",),
    ),
    "increment": (
        *("next increment", "subsequent increment", "additional increment"),
        *("further increment", "interval n", "next interval", "second increment"),
        *("subsequent period", "in", "inc", "next period", "subsequent interval"),
        *("billing block", "next billing", "subsequent", "further increments", "incr"),
        *("folgetakt", "weiterer takt", "weitere takte", "2 takt", "taktlange"),
        *("increment suivant", "palier suivant", "tranche suivante"),
        *("pas de facturation suivant", "increments suivants", "incremento siguiente"),
        *("siguiente intervalo", "intervalo siguiente", "incremento adicional"),
        *("incremento sucesivo", "next", "next incr", "next interval s", "additional"),
        *("nth increment", "2nd increment", "2nd interval", "2nd", "sub increment"),
        *("add increment",),
    ),
    "increments": (
        *("billing increment", "billing increments", "billing", "rounding", "billing interval"),
        *("billing terms", "interval", "intervals", "charging interval", "charging increments"),
        *("pulse", "billing pulse", "billing cycle", "charging increment", "charge increment"),
        *("rounding rules", "tariff interval", "billing structure", "call rounding", "min inc"),
        *("billing unit", "initial increment next increment", "billing rule"),
        *("call increments", "rounding rule", "sell increments"),
        *("taktung", "takt", "takte", "abrechnungstakt", "abrechnungsintervall", "abrechnung"),
        *("takt in sekunden", "abrechnungstaktung", "palier", "paliers", "cadence", "pas"),
        *("pas de facturation", "facturation", "tranche", "tranches", "cadence de facturation"),
        *("unite de facturation", "incremento", "incrementos", "intervalo", "intervalos"),
        *("facturacion", "redondeo", "cadencia", "incremento de facturacion"),
        *("intervalo de facturacion", "tarificacion", "modo de facturacion", "incrementi"),
        *("scatto", "scatti", "facturering", "min incr", "min increment", "min incs"),
        *("1st next", "first next", "init incr", "init inc", "initial subsequent"),
        *("initial next", "first subsequent", "1st subsequent", "1st 2nd", "1 n", "i n"),
        *("min next", "min add", "min add increment", "minimum increment", "minimum next"),
        *("minimum incr", "increment min incr", "billing min incr", "min charge incr"),
        *("billing incr",),
    ),
    "buy_increments": (*("cost increments", "buy increment s", "buy billing increments"),),
    "connection_fee": (
        *("setup fee", "connect fee", "connection charge", "connect charge", "call setup"),
        *("setup charge", "connect cost", "set up fee", "set up charge", "call setup fee"),
        *("initial fee", "per call", "price per call", "rate per call"),
        *("setup", "set up", "flagfall", "flag fall", "flagfall fee", "flag fall fee"),
        *("verbindungsgebuhr", "verbindungsentgelt", "verbindungsaufbau", "einwahlgebuhr"),
        *("grundgebuhr pro anruf", "frais de connexion", "frais de mise en relation"),
        *("mise en relation", "cout de connexion", "frais d etablissement", "establecimiento"),
        *("establecimiento de llamada", "coste de establecimiento", "costo de establecimiento"),
        *("cargo de conexion", "precio establecimiento"),
    ),
    "minimum_charge": (
        *("min charge", "minimum cost", "minimal cost", "minimum price"),
        *("mindestpreis", "mindestentgelt", "mindestgebuhr", "prix minimum", "cout minimum"),
        *("cargo minimo", "precio minimo"),
    ),
    "buy_price_per_minute": (
        *("buy rate", "buy price", "cost", "cost per minute", "our cost", "carrier rate"),
        *("purchase rate", "purchase price", "wholesale rate", "termination rate"),
        *("buying rate", "buying price", "buy rate per minute", "cost min", "cost per min"),
        *("carrier price",),
        *("ek", "ek preis", "einkaufspreis", "einkauf", "einkaufspreis pro minute"),
        *(
            "prix d achat",
            "prix achat",
            "cout",
            "cout d achat",
            "cout minute",
            "cout par minute",
            "coste",
            "costo",
        ),
        *("precio de compra", "precio compra", "costo por minuto", "coste por minuto"),
    ),
    "buy_connection_fee": (*("buy setup fee", "buy connect fee", "cost per call"),),
    "buy_initial": (*("buy initial increment", "buy first increment"),),
    "buy_increment": (*("buy next increment", "buy further increment"),),
    "disconnection_fee": (*("disconnect fee", "disconnect charge", "disconnection charge"),),
    "effective_from": (
        *("effective date", "effective", "valid from", "start date", "date effective", "start"),
        *("effective from date", "from date", "activation date", "valid since", "date"),
        *("effective as of", "begin date", "from", "eff date", "effective start date"),
        *("rate effective date", "active from", "active since", "implementation date"),
        *("effective date utc", "valid from date", "date of effect", "commencement date"),
        *("gultig ab", "gueltig ab", "gultig von", "gultigkeit", "gultig seit", "ab"),
        *("ab datum", "startdatum", "datum", "wirksam ab", "datum ab", "gultigkeitsbeginn"),
        *("inkrafttreten", "beginn", "valable a partir du", "a partir du", "date d effet"),
        *("date de debut", "date d application", "date debut", "valide a partir du"),
        *("valable du", "en vigueur", "date d entree en vigueur", "applicable au"),
        *("effectif le", "effet", "debut", "valido desde", "vigente desde", "desde", "fecha"),
        *("fecha de inicio", "fecha inicio", "fecha efectiva", "fecha de vigencia", "vigencia"),
        *("vigencia desde", "inicio", "fecha de entrada en vigor", "fecha de efecto"),
        *("efectivo desde", "valida desde", "valido a partir de", "data inizio", "decorrenza"),
        *("valido dal", "data inicio", "ingangsdatum", "geldig vanaf"),
    ),
    "effective_until": (
        *("valid until", "end date", "valid to", "expiry date", "effective to", "until"),
        *("effective until date", "stop date", "expires", "end", "valid till", "valid through"),
        *("effective end date", "end effective date", "expiration date", "effective till"),
        *("gultig bis", "gueltig bis", "bis", "enddatum", "bis datum", "gultigkeitsende"),
        *("ende", "valable jusqu au", "jusqu au", "date de fin", "date fin", "fin"),
        *("fin de validite", "valido hasta", "vigente hasta", "hasta", "fecha de fin"),
        *("fecha fin", "fecha final", "vigencia hasta", "fecha de vencimiento", "geldig tot"),
        *("einddatum",),
    ),
    "action": (
        *("status", "change", "change type", "rate change", "code status", "type of change"),
        *("code change", "change code", "rate status", "comment on change", "change status"),
        *("anderung", "aenderung", "anderungsart", "preisanderung", "aktion", "changement"),
        *("modification", "evolution", "statut", "type de changement", "variation", "cambio"),
        *("estado", "accion", "tipo de cambio", "modificacion", "estatus"),
    ),
    "blocked": (
        *("barred", "forbidden", "blocking"),
        *("gesperrt", "sperre", "bloque", "bloqueado", "interdit"),
    ),
    "hours": (
        *("time window", "time windows", "time of day", "days and hours", "time period"),
        *("zeitfenster", "zeitraum", "tageszeit", "plage horaire", "horaire", "horaires"),
        *("horario", "franja horaria"),
    ),
    "currency": (
        *("curr", "ccy", "rate currency"),
        *("wahrung", "waehrung", "devise", "monnaie", "moneda", "divisa", "moeda", "valuta"),
    ),
}
"""What carriers write above a column of ours."""

VAGUE_DESTINATIONS = (
    *("country", "country name", "network", "operator", "carrier", "land", "netz", "pays"),
    *("operateur", "reseau", "pais", "operador", "red", "paese"),
)
"""Say where a prefix is if no other column does; the first of them counts."""

CURRENCY_WORDS = {
    "euro": ("EUR",),
    "euros": ("EUR",),
    "us$": ("USD",),
    "pounds": ("GBP",),
}
"""Currencies in a heading that are neither a code nor a sign."""
CENT_WORDS = frozenset(
    (
        *("cent", "cents", "ct", "cts", "eurocent", "eurocents", "¢", "pence", "penny"),
        *("centime", "centimes", "centimo", "centimos", "rappen", "centesimi", "centavos"),
    )
)
MINUTE_WORDS = frozenset(
    ("in", "m", "min", "mins", "minute", "minutes", "minuten", "minutos", "minuti")
)
SECOND_WORDS = frozenset(
    (
        *("sec", "secs", "second", "seconds", "s", "sek", "sekunde", "sekunden"),
        *("seconde", "secondes", "seg", "segundo", "segundos", "secondi"),
    )
)

PRICE_WORDS = frozenset(
    (
        *("new", "add", "added", "addition", "increase", "increased", "decrease", "decreased"),
        *("change", "changed", "update", "updated", "modified", "current", "unchanged", "same"),
        *("no change", "active", "open", "ok", "price", "up", "down", "not blocked"),
        *("neu", "erhohung", "senkung", "erhoht", "gesenkt", "unverandert", "aktiv", "anderung"),
        *("geandert", "nouveau", "nouvelle", "hausse", "baisse", "augmentation", "diminution"),
        *("inchange", "modifie", "actif", "nuevo", "nueva", "aumento", "subida", "bajada"),
        *("disminucion", "sin cambio", "sin cambios", "modificado", "activo"),
    )
)
BLOCK_WORDS = frozenset(
    (
        *("block", "blocked", "barred", "bar", "not allowed", "forbidden", "closed"),
        *("suspended", "no service", "not available", "gesperrt", "bloque", "bloquee"),
        *("bloqueado", "bloqueada", "interdit", "ferme", "cerrado"),
    )
)
DELETE_WORDS = frozenset(
    (
        *("delete", "deleted", "deletion", "remove", "removed", "withdrawn", "discontinued"),
        *("obsolete", "cancelled", "expired", "geloscht", "loschen", "entfallt", "entfernt"),
        *("loschung", "supprime", "supprimee", "suppression", "eliminado", "eliminada"),
        *("eliminar", "borrado", "borrar", "baja"),
    )
)
"""What a row does with its prefix."""

YES_WORDS = frozenset(("yes", "y", "true", "1", "x", "ja", "oui", "si", *BLOCK_WORDS))
NO_WORDS = frozenset(("no", "n", "false", "0", "-", "open", "allowed", "nein", "non"))
"""In a column ``blocked``."""

AT_ONCE_WORDS = frozenset(
    (
        *("immediate", "immediately", "now", "asap", "at once", "sofort", "ab sofort"),
        *("immediat", "immediatement", "inmediato", "inmediata", "de inmediato"),
    )
)
"""Where a date would stand."""
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *(("jan", "ene", "gen"), ("feb", "fev"), ("mar", "mrz"), ("apr", "abr", "avr")),
            *(("may", "mai", "mag", "mei"), ("jun", "juin", "giu"), ("jul", "juil", "lug")),
            *(("aug", "ago", "aou"), ("sep", "set"), ("oct", "okt", "ott"), ("nov",)),
            ("dec", "dez", "dic"),
        ),
        start=1,
    )
    for name in names
}
"""What a month's name begins with."""


def folded(text: str) -> str:
    """Without case and accents, for comparison with words of any language."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def words_of(text: str) -> str:
    """The words of a heading, folded, with single spaces between them."""
    return " ".join(re.findall(r"[a-z0-9]+", folded(text)))
