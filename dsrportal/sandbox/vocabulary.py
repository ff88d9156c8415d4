"""The words of the invented data set: names, letters, steps, units and tags in French, Dutch and English.

Read by seeding.py alone. No person named here exists; mail goes to example.org and example.test.
"""

GIVEN_NAMES = {
    "fr": (
        "Aline",
        "Bastien",
        "Chloé",
        "Damien",
        "Élodie",
        "Fabrice",
        "Gaëlle",
        "Hugo",
        "Inès",
        "Jérôme",
        "Manon",
        "Zoé",
    ),
    "nl": (
        "Anneke",
        "Bram",
        "Carlijn",
        "Daan",
        "Femke",
        "Gijs",
        "Hanne",
        "Joost",
        "Lieke",
        "Maarten",
        "Noor",
        "Wouter",
    ),
    "en": ("Alice", "Ben", "Clara", "Dylan", "Erin", "Frank", "Grace", "Harry", "Isla", "Jack", "Nora", "Oscar"),
}
FAMILY_NAMES = {
    "fr": (
        "Arnoult",
        "Besnard",
        "Chevrolat",
        "Delaunoy",
        "Estève",
        "Fournel",
        "Guérin",
        "L'Hermitte",
        "Morvan",
        "Vasseur",
    ),
    "nl": (
        "van Aalst",
        "Bakkers",
        "Claessens",
        "de Wolff",
        "Everaert",
        "Hoogstraat",
        "Jansma",
        "van der Meulen",
        "Peeters",
    ),
    "en": ("Ashdown", "Birtwell", "Colebrook", "Draycott", "Ellingham", "Farrow", "O'Harrow", "Kingsmere", "Thornbury"),
}

MESSAGES = {
    "fr": (
        "Bonjour, je souhaite recevoir une copie de toutes les données que vous détenez à mon sujet.",
        "Merci de supprimer mon compte et l'ensemble de mes données personnelles.",
        "Mon adresse a changé : pouvez-vous la corriger dans votre fichier client ?",
        "Je m'oppose à l'utilisation de mes coordonnées à des fins de prospection.",
        "Je voudrais récupérer mon historique d'achats dans un format réutilisable.",
        "Je vous ai écrit le mois dernier et je n'ai pas eu de réponse.\nPouvez-vous me dire où en est ma demande ?",
    ),
    "nl": (
        "Graag ontvang ik een kopie van alle gegevens die u over mij bewaart.",
        "Wilt u mijn account en al mijn persoonsgegevens verwijderen?",
        "Mijn telefoonnummer klopt niet meer. Kunt u dit aanpassen?",
        "Ik maak bezwaar tegen het gebruik van mijn gegevens voor reclame.",
        "Ik wil mijn gegevens meenemen naar een andere leverancier.",
    ),
    "en": (
        "Please send me a copy of the personal data that you hold about me.",
        "I would like you to delete my account and everything linked to it.",
        "My date of birth is wrong on my invoices. Please correct it.",
        "I object to receiving any further marketing from you.",
        "Please stop processing my data while my complaint is looked into.",
    ),
}
REPLIES = {
    "fr": "Votre demande est bien enregistrée, nous revenons vers vous rapidement.",
    "nl": "We hebben uw verzoek goed ontvangen en komen er snel op terug.",
    "en": "Your request has reached us; we will come back to you soon.",
}
NOTES = {
    "fr": "Vérifier aussi l'ancien outil de facturation.",
    "nl": "Ook het oude facturatiesysteem nakijken.",
    "en": "Check the old billing tool as well.",
}
RESOLUTIONS = {
    "fr": "Votre demande a été traitée.",
    "nl": "Uw verzoek is afgehandeld.",
    "en": "Your request has been dealt with.",
}
CITIES = {
    "fr": (("Lille", "59000", "FR"), ("Strasbourg", "67000", "FR"), ("Nantes", "44000", "FR")),
    "nl": (("Gent", "9000", "BE"), ("Utrecht", "3511", "NL"), ("Antwerpen", "2000", "BE")),
    "en": (("Luxembourg", "1111", "LU"), ("Dublin", "D02", "IE"), ("Brussels", "1000", "BE")),
}
STREETS = {"fr": "rue des Exemples", "nl": "Voorbeeldstraat", "en": "Sample Street"}

# A right, or several at once, with the weight it has in the data set.
PURPOSE_MIXTURES = (
    (("Access",), 30),
    (("Erasure",), 26),
    (("Access", "Erasure"), 9),
    (("Rectification",), 10),
    (("Opposition",), 9),
    (("Portability",), 5),
    (("Access", "Portability"), 3),
    (("Restriction",), 3),
    (("Information",), 3),
    (("Opposition", "Erasure", "Restriction"), 1),
    (("AutomatedDecision", "Information"), 1),
)
CHANNEL_WEIGHTS = (("Widget", 48), ("IncomingEmail", 24), ("Internal", 14), ("Form", 8), ("Import", 4), ("Zapier", 2))
CLOSED_REASON_WEIGHTS = (
    ("Accepted", 62),
    ("Duplicate", 10),
    ("WrongIdentity", 8),
    ("NotAdmissible", 8),
    ("Cancelled", 6),
    ("FiledAway", 3),
    ("Other", 3),
)

# label, colour, mapped state, item limit, role that may move requests into it, notice
StepWords = tuple[str, str, str, int | None, int | None, str | None]
STEPS: dict[int, tuple[StepWords, ...]] = {
    101: (
        ("Nouveau", "#1E8EE1", "Open", None, None, None),
        ("Vérification de l'identité", "#F2C037", "IdentityValidation", 40, None, None),
        ("En cours", "#F2C037", "Processing", None, None, "<p>Penser aux <b>sous-traitants</b>.</p>"),
        ("Attente d'un service", "#8E5CC2", "Processing", 25, None, None),
        ("Communication", "#F2822E", "Active", None, None, None),
        ("Non recevable", "#8793A3", "Closed", None, 9, None),
        ("Fermé", "#2EB872", "Closed", None, None, None),
    ),
    102: (
        ("Nieuw", "#1E8EE1", "Open", None, None, None),
        ("Identiteitscontrole", "#F2C037", "IdentityValidation", None, None, None),
        ("In behandeling", "#F2C037", "Processing", 12, None, None),
        ("Communicatie", "#F2822E", "Active", None, None, None),
        ("Wacht op aanvrager", "#8E5CC2", "Active", None, None, None),
        ("Afgesloten", "#2EB872", "Closed", None, None, None),
    ),
}
# label, index of the parent, type, country
AREAS: dict[int, tuple[tuple[str, int | None, str, str], ...]] = {
    101: (
        ("Acme France", None, "Entity", "FR"),
        ("Boutique en ligne", 0, "Area", "FR"),
        ("Service client", 1, "Area", "FR"),
        ("Ressources humaines", 0, "Area", "FR"),
        ("Acme Alsace", 0, "Entity", "FR"),
    ),
    102: (
        ("Acme Benelux", None, "Entity", "BE"),
        ("Acme België", 0, "Entity", "BE"),
        ("Acme Nederland", 0, "Entity", "NL"),
        ("Webwinkel", 2, "Area", "NL"),
        ("Acme Luxembourg", 0, "Entity", "LU"),
    ),
}
TAGS: dict[int, tuple[tuple[str, str], ...]] = {
    101: (
        ("Presse", "#D64545"),
        ("Ancien client", "#8793A3"),
        ("Mineur", "#F2822E"),
        ("Programme fidélité", "#2EB872"),
        ("Sous-traitant", "#8E5CC2"),
        ("Courrier entrant", "#1E8EE1"),
    ),
    102: (
        ("Nieuwsbrief", "#1E8EE1"),
        ("Klacht", "#D64545"),
        ("Former employee", "#8793A3"),
        ("Minderjarig", "#F2822E"),
    ),
}
LOCALE_WEIGHTS = {101: (("fr", 88), ("en", 9), ("nl", 3)), 102: (("nl", 66), ("en", 24), ("fr", 10))}
WORKSPACE_LABELS = {101: "Acme France", 102: "Acme Benelux"}

# given name, family name, colour
USERS = (
    ("Camille", "Rivoire", "#1E8EE1"),
    ("Yanis", "Belkacem", "#2EB872"),
    ("Sanne", "Verhoeven", "#8E5CC2"),
    ("Thomas", "Leclair", "#F2822E"),
    ("Priya", "Nandakumar", "#D64545"),
    ("Joris", "Maes", "#F2C037"),
)
# slug, kind; `choices` kinds take one or several of CHOICES
CUSTOM_FIELDS = (
    ("numero_client", "text"),
    ("13_long", "text"),
    ("newsletter", "flag"),
    ("commandes", "integer"),
    ("origine", "choice"),
    ("services", "choices"),
)
CHOICES = {"origine": ("boutique", "site", "telephone"), "services": ("facturation", "livraison", "support")}
