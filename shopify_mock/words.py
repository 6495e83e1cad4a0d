"""Word lists: who buys, where they live, what is sold, who carries it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    country: str
    code: str
    city: str
    zip: str
    streets: tuple[str, ...]
    phone: str
    first: tuple[str, ...]
    last: tuple[str, ...]


PLACES = (
    Place(
        "Spain",
        "ES",
        "Barcelona",
        "080##",
        ("Carrer de Mallorca", "Carrer de Girona", "Passeig de Sant Joan"),
        "+34 600 ",
        ("Laia", "Marc", "Núria", "Pau", "Clara"),
        ("Soler", "Puig", "Ferrer", "Vidal", "Roca"),
    ),
    Place(
        "Spain",
        "ES",
        "Madrid",
        "280##",
        ("Calle de Alcalá", "Calle de Fuencarral", "Calle Mayor"),
        "+34 611 ",
        ("Lucía", "Hugo", "Carmen", "Álvaro", "Elena"),
        ("García", "Romero", "Navarro", "Ortega", "Molina"),
    ),
    Place(
        "Portugal",
        "PT",
        "Lisboa",
        "11##-0##",
        ("Rua da Prata", "Rua Garrett", "Avenida Almirante Reis"),
        "+351 910 ",
        ("Inês", "Tiago", "Beatriz", "Rui", "Matilde"),
        ("Almeida", "Carvalho", "Sousa", "Marques", "Pinto"),
    ),
    Place(
        "Portugal",
        "PT",
        "Porto",
        "40##-1##",
        ("Rua das Flores", "Rua de Cedofeita", "Rua do Almada"),
        "+351 920 ",
        ("Sofia", "Miguel", "Leonor", "Duarte", "Marta"),
        ("Moreira", "Teixeira", "Rocha", "Lopes", "Cunha"),
    ),
    Place(
        "France",
        "FR",
        "Lyon",
        "690##",
        ("Rue de la République", "Cours Lafayette", "Rue Garibaldi"),
        "+33 6 12 ",
        ("Camille", "Louis", "Chloé", "Antoine", "Manon"),
        ("Bernard", "Girard", "Lefèvre", "Mercier", "Faure"),
    ),
    Place(
        "France",
        "FR",
        "Toulouse",
        "310##",
        ("Rue d'Alsace-Lorraine", "Rue des Filatiers"),
        "+33 6 24 ",
        ("Jules", "Léa", "Hugo", "Zoé", "Rémi"),
        ("Durand", "Fabre", "Roux", "Blanc", "Garnier"),
    ),
    Place(
        "Germany",
        "DE",
        "Köln",
        "506##",
        ("Venloer Straße", "Aachener Straße", "Ehrenstraße"),
        "+49 151 ",
        ("Lena", "Jonas", "Mia", "Felix", "Anke"),
        ("Becker", "Schäfer", "Krüger", "Vogel", "Busch"),
    ),
    Place(
        "Germany",
        "DE",
        "Berlin",
        "104##",
        ("Kastanienallee", "Torstraße", "Schönhauser Allee"),
        "+49 152 ",
        ("Emre", "Hannah", "Paul", "Selin", "Nils"),
        ("Yılmaz", "Lange", "Winter", "Kaya", "Brandt"),
    ),
    Place(
        "Netherlands",
        "NL",
        "Utrecht",
        "35## AB",
        ("Oudegracht", "Nachtegaalstraat", "Biltstraat"),
        "+31 6 12",
        ("Sanne", "Daan", "Femke", "Bram", "Lotte"),
        ("de Vries", "Bakker", "Visser", "Smit", "Mulder"),
    ),
    Place(
        "Italy",
        "IT",
        "Bologna",
        "401##",
        ("Via dell'Indipendenza", "Via Zamboni", "Via Saragozza"),
        "+39 320 ",
        ("Giulia", "Matteo", "Chiara", "Luca", "Elisa"),
        ("Rossi", "Ferrari", "Conti", "Gallo", "Fontana"),
    ),
)


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    title: str
    cents: int
    grams: int
    variants: tuple[str, ...]


PRODUCTS = (
    Product("LMP-TBL", "Table lamp Lluna", 6900, 1450, ("Sand", "Ink", "Moss")),
    Product("LMP-PND", "Pendant lamp Arc", 11900, 2100, ("Brass", "White")),
    Product("CND-SOY", "Soy candle", 1850, 320, ("Fig", "Rosemary", "Cedar")),
    Product("MUG-STN", "Stoneware mug", 1600, 380, ("Chalk", "Clay", "Ocean")),
    Product("BWL-STN", "Serving bowl", 3900, 980, ("Chalk", "Clay")),
    Product("THR-WOL", "Wool throw", 8900, 1250, ("Oat", "Rust")),
    Product("CSH-LIN", "Linen cushion", 4200, 540, ("Oat", "Sage", "Ink")),
    Product("TWL-SET", "Towel set", 5400, 1100, ("White", "Sage")),
    Product("VAS-GLS", "Glass vase", 3400, 870, ("Clear", "Amber")),
    Product("BRD-OLV", "Olive wood board", 2900, 760, ("M", "L")),
    Product("CLK-WAL", "Wall clock", 7400, 1320, ("Oak", "Walnut")),
    Product("RUG-JUT", "Jute rug", 14900, 4800, ("120x180", "160x230")),
)

CARRIERS = (
    ("DHL Express", "JD0146", 11, "https://www.dhl.com/track?tracking-id="),
    ("GLS", "ES77", 9, "https://gls-group.eu/track/"),
    ("SEUR", "SE", 12, "https://www.seur.com/livetracking/?segOnlineIdentificador="),
    ("UPS", "1Z84A", 13, "https://www.ups.com/track?tracknum="),
)
CARDS = (
    ("shopify_payments", "Visa"),
    ("shopify_payments", "Mastercard"),
    ("paypal", "PayPal"),
    ("shopify_payments", "Bizum"),
)
SLOW = (("bank_deposit", "Bank Deposit"), ("multibanco", "Multibanco"))
NOTES = (
    None,
    None,
    None,
    None,
    None,
    None,
    "Please leave with the neighbour.",
    "Is a gift, no prices in the box please.",
    "Timbre 2B",
)
TAGS = ("", "", "", "returning", "newsletter", "returning, vip", "gift")
SOURCES = ("web", "web", "web", "shopify_draft_order", "580111")
WAREHOUSES = ((70114455601, "Magatzem Zona Franca"), (70114455602, "Armazém Maia"))
