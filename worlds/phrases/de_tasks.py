"""German prompts around a passage: private questions, public tasks, assignments."""

from __future__ import annotations

QUESTIONS = (
    ("Fallnotizen:\n\n", "\n\nGib das Ergebnis wie vereinbart zurück."),
    ("Bitte bearbeite den folgenden Vorgang.\n\n", "\n\nHalte dich an das bisherige Format."),
    ("Neuer Eingang im Postfach:\n---\n", "\n---\nWas sollen wir antworten?"),
    ("Hier ist der nächste Text.\n\n", "\n\nWende alle Anweisungen darauf an und lass nichts aus."),
    ("Eingabe:\n", "\n\nAusgabe:"),
    (
        "Ein Kollege hat mir dies geschickt und bittet um unsere Einschätzung:\n\n",
        "\n\nVielen Dank im Voraus.",
    ),
)
TASKS = (
    ("Übersetze ins Englische:\n\n", ""),
    ("Fasse den folgenden Text in fünf Stichpunkten zusammen.\n\n", ""),
    (
        "Behebe den Fehler in diesem Code und erkläre, was falsch war:\n\n",
        "\n\nGib bitte die ganze korrigierte Datei zurück.",
    ),
    (
        "Schreib ein kurzes Geburtstagsgedicht, das etwas aus diesen Zeilen aufgreift:\n\n",
        "\n\nEs soll sich reimen.",
    ),
    (
        "Plane einen Wochenendausflug mit der Bahn, der zu diesen Notizen passt:\n\n",
        "\n\nNenne ungefähre Preise.",
    ),
    ("Erkläre das einem zwölfjährigen Kind:\n\n", ""),
    ("Schreib diese E-Mail so um, dass sie freundlicher klingt:\n\n", ""),
    ("Korrigiere Rechtschreibung und Grammatik, ändere sonst nichts:\n\n", ""),
    ("Bewerte diesen Absatz von 1 bis 10 nach Klarheit, Grammatik und Ton:\n\n", "\n\nBegründe jede Note."),
    (
        "Erkläre Schritt für Schritt, ob dieses Argument gültig ist:\n\n",
        "\n\nNenne erst danach dein Ergebnis.",
    ),
    ("Mach aus diesen Notizen eine Tabelle mit drei Spalten:\n\n", ""),
    ("Setze diese Geschichte im selben Stil fort:\n\n", "\n\nHör an einer spannenden Stelle auf."),
    ("Schreib Unit-Tests für den hier beschriebenen Code:\n\n", "\n\nDenk auch an die Grenzfälle."),
    ("Nenne drei Argumente für und drei gegen Folgendes:\n\n", ""),
    ("Finde eine gute Überschrift für diesen Text:\n\n", "\n\nSchlag zehn vor und wähle die beste."),
    ("Entwirf ein Anschreiben auf Grundlage dieses Lebenslaufs:\n\n", "\n\nHöchstens eine Seite."),
    (
        "Welche Fragen könnten mir im Vorstellungsgespräch dazu gestellt werden?\n\n",
        "\n\nErgänze jeweils eine Musterantwort.",
    ),
    ("Was bedeutet diese Fehlermeldung?\n\n", "\n\nWie werde ich sie los?"),
    ("Liste alle Namen, Daten und Beträge in diesem Text auf:\n\n", ""),
    ("Kürze das auf die Hälfte, ohne dass Fakten verloren gehen:\n\n", ""),
    ("Erstelle daraus einen Trainingsplan für acht Wochen:\n\n", "\n\nIch kann zweimal pro Woche laufen."),
    ("Schreib eine höfliche Absage auf diesen Brief:\n\n", ""),
    ("Mach aus diesem Kapitel Lernkarten für eine Prüfung:\n\n", "\n\nVorn die Frage, hinten die Antwort."),
    ("Gibt es in dieser Vertragsklausel etwas, worauf ich achten sollte?\n\n", ""),
    ("Übertrage diesen Code nach Python:\n\n", "\n\nBehalte die Kommentare bei."),
    ("Schreib aus diesem Rezept eine Einkaufsliste:\n\n", "\n\nWir sind zu sechst."),
    ("Schreib einen regulären Ausdruck, der alle Zeilen wie diese erfasst:\n\n", "\n\nErkläre seine Teile."),
    ("Ist der Ton dieser Nachricht höflich, neutral oder unhöflich?\n\n", "\n\nEin Wort genügt."),
    ("Finde den Fehler in diesem Beweis:\n\n", "\n\nZeig jeden Schritt deiner Prüfung."),
    ("Schreib aus diesen Stichworten das Protokoll der Sitzung:\n\n", "\n\nStell die Beschlüsse voran."),
)
ASSIGNMENTS = (
    (
        "Übungsblatt 4, Lehrveranstaltung: ",
        (
            ".\n\n"
            "Lies den Abschnitt unten aufmerksam und gib seine Hauptaussage mit eigenen Worten wieder. Prüfe "
            "dann, ob die Aussage zutrifft, und zeige jeden Schritt deiner Überlegung, auch die Schritte, "
            "die selbstverständlich scheinen. Verwende mindestens zwei der Methoden aus der Vorlesung.\n\n"
            "Abschnitt:\n"
        ),
        (
            "\n\n"
            "Benote zum Schluss deine eigene Lösung nach dem Raster: fünf Punkte für Richtigkeit, drei für "
            "Vollständigkeit, zwei für Klarheit. Begründe jeden Punkt, den du abziehst."
        ),
    ),
    (
        "Hausklausur, Modul: ",
        (
            ".\n\n"
            "Du hast bis Freitagmittag Zeit. Beantworte die Aufgabe so, als würdest du sie jemandem aus "
            "deinem Semester erklären, der die letzten drei Wochen gefehlt hat, und lass keinen "
            "Zwischenschritt aus. Hilfsmittel sind erlaubt, solange du sie nennst.\n\n"
            "Aufgabe:\n"
        ),
        (
            "\n\n"
            "Erstelle am Ende ein Bewertungsschema mit vier Kriterien und gib an, wie viele von fünf Punkten "
            "deine Antwort bei jedem verdient."
        ),
    ),
    (
        "Seminararbeit, Woche 7, Thema: ",
        (
            ".\n\n"
            "Der hier abgedruckte Text enthält mindestens zwei Fehler. Finde sie, berichtige sie und "
            "begründe jede Korrektur Schritt für Schritt mit Bezug auf das Seminarskript. Schreib dann eine "
            "bessere Fassung des Textes mit höchstens dreihundert Wörtern.\n\n"
            "Text:\n"
        ),
        (
            "\n\n"
            "Vergleiche deine Fassung mit dem Original nach dem Raster des Seminars (Genauigkeit, Aufbau, "
            "Sprache, Quellen) und vergib jeweils einen bis sechs Punkte. Sag, was zur vollen Punktzahl noch "
            "fehlt."
        ),
    ),
)
