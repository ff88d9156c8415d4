"""The letters that come with the portal: by language and purpose. Words in {braces} are filled in; what stands in [[double brackets]] the writer has to
fill in, and nothing goes out before. Used by `queries.letters` alone.

They name what the GDPR asks to be named: the period (Art. 12(3)), doubts about identity (Art. 12(6)), reasons, complaint and judicial remedy (Art. 12(4)).
"""

# A paragraph of a letter is one line: what breaks it is the reader's window.
# ruff: noqa: E501

from __future__ import annotations

from dsrportal.models.correspondence import LetterPurpose

ENGLISH = {
    LetterPurpose.ACKNOWLEDGEMENT: """{greeting}

We received your request ({rights}) on {received_on}. Its number with us is {reference}.

You will have our answer without undue delay, and by {respond_by} at the latest (Article 12(3) GDPR). If the request is complex, or if we have many requests to deal with, the law allows two further months; we would tell you so, with the reasons, within one month of receipt.

If you write to us about it, please give the number {reference}.

{workspace}""",
    LetterPurpose.IDENTITY: """{greeting}

We received your request ({rights}, number {reference}) on {received_on}. Before we can act on it we have to be sure that it comes from you: [[why there is a reasonable doubt about the person's identity]].

Article 12(6) GDPR therefore lets us ask you for further information. Please send us: [[the least information that settles the doubt]].

We need nothing else. Please do not send a copy of an identity document unless we have asked for one; if we have, cover whatever is not needed. We use what you send for this check alone and delete it afterwards.

We will go on as soon as we have your answer.

{workspace}""",
    LetterPurpose.EXTENSION: """{greeting}

We are working on your request ({rights}, number {reference}), which we received on {received_on}. We cannot answer it in full within one month.

The reasons are: [[why the request is complex, or how many requests there are]].

Article 12(3) GDPR allows us two further months in such a case. You will have our answer by {extended_by} at the latest, and sooner if we can.

If you do not agree, you may lodge a complaint with the supervisory authority ({authority}) or go to court.

{workspace}""",
    LetterPurpose.REFUSAL: """{greeting}

We have examined your request ({rights}, number {reference}), which we received on {received_on}. We will not act on it, or not on this part of it: [[what is refused]].

The reasons are: [[the reasons, and the provision they rest on]].

You may lodge a complaint with a supervisory authority, in particular where you live or work or where the matter arose (here: {authority}), and you may seek a judicial remedy (Article 12(4), Articles 77 and 79 GDPR).

{workspace}""",
    LetterPurpose.ANSWER: """{greeting}

Here is our answer to your request ({rights}, number {reference}), which we received on {received_on}.

[[what was done, and what is enclosed]]

If you think that this does not answer your request, please write to us. You also have the right to lodge a complaint with a supervisory authority ({authority}) and to seek a judicial remedy.

{workspace}""",
}

FRENCH = {
    LetterPurpose.ACKNOWLEDGEMENT: """{greeting}

Nous avons reçu votre demande ({rights}) le {received_on}. Elle porte chez nous le numéro {reference}.

Nous vous répondrons dans les meilleurs délais, et au plus tard le {respond_by} (article 12, paragraphe 3, du RGPD). Si la demande est complexe, ou si nous avons de nombreuses demandes à traiter, la loi permet deux mois supplémentaires ; nous vous en informerions, en donnant les motifs, dans le mois suivant la réception.

Si vous nous écrivez à ce sujet, merci d'indiquer le numéro {reference}.

{workspace}""",
    LetterPurpose.IDENTITY: """{greeting}

Nous avons reçu votre demande ({rights}, numéro {reference}) le {received_on}. Avant d'y donner suite, nous devons être certains qu'elle vient bien de vous : [[pourquoi il existe un doute raisonnable sur l'identité de la personne]].

L'article 12, paragraphe 6, du RGPD nous permet donc de vous demander des informations supplémentaires. Merci de nous envoyer : [[le minimum d'informations qui lève le doute]].

Rien d'autre n'est nécessaire. Merci de ne pas envoyer de copie d'une pièce d'identité si nous ne l'avons pas demandée ; si nous l'avons fait, masquez ce qui n'est pas utile. Ce que vous envoyez ne sert qu'à cette vérification et est ensuite effacé.

Nous reprendrons le traitement dès votre réponse.

{workspace}""",
    LetterPurpose.EXTENSION: """{greeting}

Nous traitons votre demande ({rights}, numéro {reference}), reçue le {received_on}. Nous ne pouvons pas y répondre entièrement dans un délai d'un mois.

Les motifs sont les suivants : [[en quoi la demande est complexe, ou combien de demandes sont en cours]].

L'article 12, paragraphe 3, du RGPD nous accorde dans ce cas deux mois supplémentaires. Vous aurez notre réponse au plus tard le {extended_by}, et plus tôt si possible.

Si vous n'êtes pas d'accord, vous pouvez introduire une réclamation auprès de l'autorité de contrôle ({authority}) ou saisir un tribunal.

{workspace}""",
    LetterPurpose.REFUSAL: """{greeting}

Nous avons examiné votre demande ({rights}, numéro {reference}), reçue le {received_on}. Nous n'y donnerons pas suite, ou pas sur ce point : [[ce qui est refusé]].

Les motifs sont les suivants : [[les motifs, et la disposition sur laquelle ils reposent]].

Vous pouvez introduire une réclamation auprès d'une autorité de contrôle, notamment celle de votre résidence, de votre lieu de travail ou du lieu des faits (ici : {authority}), et former un recours juridictionnel (article 12, paragraphe 4, articles 77 et 79 du RGPD).

{workspace}""",
    LetterPurpose.ANSWER: """{greeting}

Voici notre réponse à votre demande ({rights}, numéro {reference}), reçue le {received_on}.

[[ce qui a été fait, et ce qui est joint]]

Si vous estimez que cela ne répond pas à votre demande, écrivez-nous. Vous avez aussi le droit d'introduire une réclamation auprès d'une autorité de contrôle ({authority}) et de former un recours juridictionnel.

{workspace}""",
}

DUTCH = {
    LetterPurpose.ACKNOWLEDGEMENT: """{greeting}

Wij hebben uw verzoek ({rights}) op {received_on} ontvangen. Het heeft bij ons het nummer {reference}.

U krijgt onverwijld antwoord, en uiterlijk op {respond_by} (artikel 12, lid 3, AVG). Als het verzoek complex is, of als er veel verzoeken te behandelen zijn, geeft de wet twee extra maanden; dat zouden wij u, met de redenen, binnen een maand na ontvangst laten weten.

Schrijft u ons hierover, vermeld dan het nummer {reference}.

{workspace}""",
    LetterPurpose.IDENTITY: """{greeting}

Wij hebben uw verzoek ({rights}, nummer {reference}) op {received_on} ontvangen. Voordat wij er gevolg aan kunnen geven, moeten wij zeker weten dat het van u komt: [[waarom er redelijke twijfel is over de identiteit]].

Artikel 12, lid 6, AVG laat ons daarom toe u om aanvullende informatie te vragen. Stuur ons alstublieft: [[de minste informatie die de twijfel wegneemt]].

Meer is niet nodig. Stuur geen kopie van een identiteitsbewijs als wij er niet om hebben gevraagd; hebben wij dat wel gedaan, dek dan af wat niet nodig is. Wat u stuurt, gebruiken wij alleen voor deze controle en wissen wij daarna.

Zodra wij uw antwoord hebben, gaan wij verder.

{workspace}""",
    LetterPurpose.EXTENSION: """{greeting}

Wij behandelen uw verzoek ({rights}, nummer {reference}), dat wij op {received_on} hebben ontvangen. Wij kunnen er niet binnen een maand volledig op antwoorden.

De redenen zijn: [[waarom het verzoek complex is, of hoeveel verzoeken er zijn]].

Artikel 12, lid 3, AVG geeft ons in dat geval twee extra maanden. U krijgt uiterlijk op {extended_by} antwoord, en eerder als dat kan.

Bent u het daar niet mee eens, dan kunt u een klacht indienen bij de toezichthoudende autoriteit ({authority}) of naar de rechter gaan.

{workspace}""",
    LetterPurpose.REFUSAL: """{greeting}

Wij hebben uw verzoek ({rights}, nummer {reference}) onderzocht, dat wij op {received_on} hebben ontvangen. Wij geven er geen gevolg aan, of niet op dit punt: [[wat wordt geweigerd]].

De redenen zijn: [[de redenen, en de bepaling waarop zij berusten]].

U kunt een klacht indienen bij een toezichthoudende autoriteit, met name waar u woont of werkt of waar de zaak speelde (hier: {authority}), en u kunt beroep bij de rechter instellen (artikel 12, lid 4, artikelen 77 en 79 AVG).

{workspace}""",
    LetterPurpose.ANSWER: """{greeting}

Hierbij ons antwoord op uw verzoek ({rights}, nummer {reference}), dat wij op {received_on} hebben ontvangen.

[[wat er is gedaan, en wat is bijgevoegd]]

Vindt u dat dit uw verzoek niet beantwoordt, schrijf ons dan. U hebt ook het recht een klacht in te dienen bij een toezichthoudende autoriteit ({authority}) en beroep bij de rechter in te stellen.

{workspace}""",
}

BUILT_IN: dict[str, dict[LetterPurpose, str]] = {"en": ENGLISH, "fr": FRENCH, "nl": DUTCH}

GREETINGS = {
    "en": ("Dear {person},", "Dear Sir or Madam,"),
    "fr": ("Bonjour {person},", "Madame, Monsieur,"),
    "nl": ("Beste {person},", "Geachte heer of mevrouw,"),
}
"""To a person with a name, and without."""

GAPS = {
    "en": ("the supervisory authority", "the date"),
    "fr": ("l'autorité de contrôle", "la date"),
    "nl": ("de toezichthoudende autoriteit", "de datum"),
}
"""What the writer fills in where the portal knows no authority, and no date."""

AUTHORITIES = {
    "FR": {"": "CNIL, www.cnil.fr"},
    "BE": {
        "": "Autorité de protection des données, www.autoriteprotectiondonnees.be",
        "nl": "Gegevensbeschermingsautoriteit, www.gegevensbeschermingsautoriteit.be",
    },
    "NL": {"": "Autoriteit Persoonsgegevens, www.autoriteitpersoonsgegevens.nl"},
    "LU": {"": "CNPD, cnpd.public.lu"},
    "IE": {"": "Data Protection Commission, www.dataprotection.ie"},
    "GB": {"": "Information Commissioner's Office, ico.org.uk"},
    "ES": {"": "Agencia Española de Protección de Datos, www.aepd.es"},
    "IT": {"": "Garante per la protezione dei dati personali, www.garanteprivacy.it"},
    "AT": {"": "Datenschutzbehörde, www.dsb.gv.at"},
    "PT": {"": "Comissão Nacional de Proteção de Dados, www.cnpd.pt"},
}
"""By the workspace's country and, where it has names in several, by language. Germany has one for each state: the writer says which."""
