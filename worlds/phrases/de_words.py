"""German words that fill slots, and sentences that passages are made of."""

from __future__ import annotations

PROFESSIONS = (
    "Buchhalter",
    "Softwarearchitekt",
    "Steuerberater",
    "Gymnasiallehrer",
    "Datenanalyst",
    "Bauingenieur",
    "Apotheker",
    "Patentprüfer",
    "technischer Redakteur",
    "Projektleiter",
    "Kundenberater",
    "Übersetzer",
    "Logistikplaner",
    "Netzwerkadministrator",
    "Versicherungsgutachter",
    "Bibliothekar",
)
FIELDS = (
    "angewandte Statistik",
    "Arbeitsrecht",
    "organische Chemie",
    "Datenbankentwurf",
    "Stadtplanung",
    "Bodenkunde",
    "Compilerbau",
    "Graphentheorie",
    "Tragwerksplanung",
    "Bilanzbuchhaltung",
    "klinische Ernährung",
    "maschinelle Übersetzung",
    "Logistikplanung",
    "erneuerbare Energien",
    "Netzwerksicherheit",
    "mittelalterliche Geschichte",
    "Musiktheorie",
    "Tiermedizin",
    "Robotik",
    "Spieltheorie",
)
WARES = (
    "Wanderschuhe",
    "Sprachkurse",
    "Gartenmöbel",
    "Wärmepumpen",
    "Reiseversicherungen",
    "Kaffeemaschinen",
    "Schulbücher",
    "Hörgeräte",
    "Lastenräder",
    "Buchhaltungsprogramme",
    "Wetterstationen",
    "Küchenmesser",
    "Modelleisenbahnen",
    "Wasserfilter",
)
SENTENCES = (
    (
        "Die Heizung im Ostflügel wurde am Dienstag geprüft, und zwei Ventile müssen vor dem Winter "
        "ausgetauscht werden."
    ),
    (
        "Drei der zwölf Proben zeigten einen höheren Wert als erwartet, deshalb wird die Reihe nächste Woche "
        "wiederholt."
    ),
    (
        "Der Kunde hat wegen der verspäteten Lieferung zweimal angerufen und hätte bis Freitag gern einen "
        "neuen Termin."
    ),
    (
        "Wir haben die Sicherung auf den zweiten Server verlegt, weil auf dem ersten kein Speicherplatz mehr "
        "frei war."
    ),
    "Meine Schwester kommt mit dem Abendzug an, und jemand muss sie vom Bahnhof abholen.",
    (
        "Die Sitzung begann zehn Minuten zu spät, weil sich der Beamer nicht mit dem neuen Laptop verbinden "
        "ließ."
    ),
    (
        "Seit der letzten Aktualisierung startet das Programm langsamer, aber die Suche liefert ihre "
        "Ergebnisse viel schneller."
    ),
    "Der Boden in der Nähe des Flusses hält mehr Wasser, weshalb die Bohnen dort besser wachsen.",
    "Leg bitte die Schlüssel zurück in die Schublade, wenn du gehst, und mach das Licht im Flur aus.",
    "Der Bericht nennt sieben Risiken, von denen vier schon zu Beginn des Projekts bekannt waren.",
    (
        "Im zweiten Quartal stiegen die Kosten für Verpackungen um sechs Prozent, vor allem weil Papier "
        "teurer wurde."
    ),
    "Die Brücke wird ab Mai für Lastwagen gesperrt, bis die Risse im nördlichen Pfeiler ausgebessert sind.",
    "Sie las das Manuskript in einer Nacht und schrieb ihre Anmerkungen mit Bleistift an den Rand.",
    (
        "Der Sensor sendet alle dreißig Sekunden einen Wert, und die Zentrale verwirft alle, die in falscher "
        "Reihenfolge eintreffen."
    ),
    "Für die Suppe braucht man zwei Stangen Lauch, eine Handvoll Linsen, etwas Brühe und ein wenig Geduld.",
    (
        "Der Patient berichtet, dass die Schmerzen morgens stärker sind und nach einem kurzen Spaziergang "
        "nachlassen."
    ),
    (
        "Keiner der Zeugen konnte mit Sicherheit sagen, ob der Lieferwagen nach links oder nach rechts "
        "abgebogen war."
    ),
    (
        "Die Tabelle ist auf vierzig Millionen Zeilen angewachsen, und der nächtliche Lauf wird nicht mehr "
        "vor dem Frühstück fertig."
    ),
    "Unsere Nachbarn haben uns ihre Leiter geliehen, damit wir am Wochenende die Dachrinnen reinigen können.",
    "Der Vertrag läuft zwei Jahre und verlängert sich um ein Jahr, wenn er nicht rechtzeitig gekündigt wird.",
    "Während des Tests blieb die Pumpe zweimal stehen, jedes Mal kurz nachdem der Druck erhöht worden war.",
    "Die Kinder bauten aus alten Fässern ein Floß und waren überrascht, dass es wirklich schwamm.",
    "Am Montag fängt eine neue Kollegin an, die sich um das Archiv und die kleine Bibliothek kümmert.",
    (
        "Die Funktion gibt eine leere Liste zurück, wenn kein Eintrag passt, obwohl das Handbuch einen "
        "Fehler verspricht."
    ),
    "Der Dorfladen öffnet um sieben, und um halb acht sind die frischen Brötchen meistens schon ausverkauft.",
    (
        "Wir haben drei Angebote verglichen und das zweite gewählt, weil seine Garantie die Kosten für "
        "Reparaturen abdeckt."
    ),
    "Gemessen wurde im Schatten, zwei Meter über dem Boden, um zwölf Uhr mittags Ortszeit.",
    "Er hat versprochen, die Fotos vom Ausflug zu schicken, aber bisher ist nichts angekommen.",
    (
        "Die alten Rohre sind aus Blei und müssen ersetzt werden, bevor die Wohnung wieder vermietet werden "
        "kann."
    ),
    (
        "Wird die Warteschlange länger als tausend Einträge, nimmt der Dienst eine Minute lang keine neuen "
        "Anfragen an."
    ),
    "Der Kurs behandelt die ersten sechs Kapitel; die Übungen am Ende jedes Kapitels sind freiwillig.",
    "Auf dem Rückweg nahmen wir den Pfad durch den Wald und begegneten zwei Stunden lang niemandem.",
    (
        "Auf der Rechnung steht die alte Adresse, deshalb muss sie mit der richtigen noch einmal ausgestellt "
        "werden."
    ),
    "Das Objektiv war leicht zerkratzt, und doch wirken die Bilder damit schärfer als die vom letzten Jahr.",
    "Seit der Fahrplan geändert wurde, wartet der Bus nicht mehr auf die Fahrgäste des späten Zuges.",
    "Der Chor probt jeden Donnerstag in der Aula der Schule und sucht noch zwei Tenöre.",
    (
        "Die beiden Kurven schneiden sich bei etwa vierzig Grad, was gut mit dem Wert aus der Literatur "
        "übereinstimmt."
    ),
    "Das Passwort muss alle drei Monate geändert werden und darf den Namen des Benutzers nicht enthalten.",
    "Der Bäcker verwendet Mehl aus der Mühle jenseits des Tals und lässt den Teig einen Tag ruhen.",
    (
        "Laut Protokoll hat der Vorstand seine Entscheidung verschoben, bis die zweite Erhebung "
        "abgeschlossen ist."
    ),
    "Der Drucker im dritten Stock druckt nur in Grau, obwohl die Farbpatrone gestern ausgetauscht wurde.",
    "Ein Sturm hat auf der Landstraße zwei Bäume umgeworfen, und die Feuerwehr räumt sie gerade weg.",
    "Der Lehrling hat schweißen gelernt und wird den Rahmen des Anhängers ganz allein bauen.",
    "Das Modell sagt für August zu viele Verkäufe voraus, weil es die Termine der Ferien nicht kennt.",
    (
        "Die Besucher werden gebeten, große Taschen an der Garderobe abzugeben und die Ausstellungsstücke "
        "nicht zu berühren."
    ),
    (
        "Die Übersetzung ist im Großen und Ganzen richtig, aber einige Fachbegriffe werden uneinheitlich "
        "verwendet."
    ),
    "Auf dem Markt gab es Birnen, Pflaumen und die ersten Walnüsse, alles zum halben Preis.",
    "Das Kabel zwischen den beiden Gebäuden ist achtzig Meter lang und verläuft neben der Wasserleitung.",
    "Nur einer der Aufzüge ist in Betrieb, deshalb sollten Lieferungen vor neun Uhr morgens kommen.",
    (
        "Die Umfrage haben vierhundert Personen beantwortet, von denen die meisten im letzten Monat etwas "
        "gekauft hatten."
    ),
    "Die Katze schlief den ganzen Nachmittag auf dem warmen Ofen und sah nicht auf, als es klingelte.",
    "Der Fehler tritt nur auf, wenn zwei Benutzer dasselbe Formular innerhalb einer Sekunde speichern.",
    (
        "Zum Jubiläum hat der Verein ein Konzert, eine kleine Ausstellung und ein Essen für die Mitglieder "
        "geplant."
    ),
    "Der Tank fasst dreihundert Liter und wird automatisch gefüllt, sobald er nur noch halb voll ist.",
    "Der Brief wurde in Eile geschrieben; zwei Wörter fehlen, und das Datum ist das vom Vortag.",
    (
        "Im Frühling schmilzt der Schnee innerhalb weniger Tage, und der Bach überschwemmt dann die unteren "
        "Wiesen."
    ),
    (
        "Die neue Regel gilt für alle Bestellungen über fünfzig Stück und ändert nichts an den laufenden "
        "Rabatten."
    ),
    "Die Ärztin empfiehlt, täglich eine halbe Stunde zu gehen und am Abend weniger Kaffee zu trinken.",
    (
        "Der Zwischenspeicher wird um Mitternacht geleert, daher dauert die erste Anfrage des Tages immer "
        "etwas länger."
    ),
    (
        "Die Studierenden befragten zwanzig Ladenbesitzer und zeichneten eine Karte der Wege, die die Waren "
        "durch die Stadt nehmen."
    ),
)
