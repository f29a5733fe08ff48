"""French prompts around a passage: private questions, public tasks, assignments."""

from __future__ import annotations

QUESTIONS = (
    ("Notes du dossier :\n\n", "\n\nRenvoie le résultat comme convenu."),
    ("Merci de traiter l'élément suivant.\n\n", "\n\nGarde le format utilisé jusqu'ici."),
    ("Nouveau message dans la boîte de réception :\n---\n", "\n---\nQue devons-nous répondre ?"),
    ("Voici le texte suivant.\n\n", "\n\nApplique-lui toutes les consignes et n'oublie rien."),
    ("Entrée :\n", "\n\nSortie :"),
    ("Un collègue m'a envoyé ceci et demande notre avis :\n\n", "\n\nMerci d'avance."),
)
TASKS = (
    ("Traduis en anglais :\n\n", ""),
    ("Résume le texte suivant en cinq points.\n\n", ""),
    (
        "Corrige le bogue dans ce code et explique ce qui n'allait pas :\n\n",
        "\n\nRenvoie le fichier corrigé en entier, s'il te plaît.",
    ),
    (
        "Écris un court poème d'anniversaire qui reprend quelque chose de ces lignes :\n\n",
        "\n\nIl doit rimer.",
    ),
    ("Prépare un week-end en train qui corresponde à ces notes :\n\n", "\n\nAjoute des prix approximatifs."),
    ("Explique ceci à un enfant de douze ans :\n\n", ""),
    ("Réécris ce courriel pour qu'il paraisse plus aimable :\n\n", ""),
    ("Corrige l'orthographe et la grammaire, ne change rien d'autre :\n\n", ""),
    (
        "Note ce paragraphe de 1 à 10 pour la clarté, la grammaire et le ton :\n\n",
        "\n\nJustifie chaque note.",
    ),
    ("Explique étape par étape si cet argument est valable :\n\n", "\n\nNe donne ta conclusion qu'ensuite."),
    ("Transforme ces notes en un tableau à trois colonnes :\n\n", ""),
    ("Continue cette histoire dans le même style :\n\n", "\n\nArrête-toi à un moment palpitant."),
    ("Écris des tests unitaires pour le code décrit ici :\n\n", "\n\nPense aussi aux cas limites."),
    ("Donne trois arguments pour et trois contre ce qui suit :\n\n", ""),
    ("Trouve un bon titre pour ce texte :\n\n", "\n\nPropose-en dix et choisis le meilleur."),
    ("Rédige une lettre de motivation à partir de ce parcours :\n\n", "\n\nUne page au maximum."),
    (
        "Quelles questions pourrait-on me poser là-dessus en entretien ?\n\n",
        "\n\nAjoute une réponse type à chacune.",
    ),
    ("Que signifie ce message d'erreur ?\n\n", "\n\nComment m'en débarrasser ?"),
    ("Dresse la liste des noms, des dates et des montants de ce texte :\n\n", ""),
    ("Réduis ceci de moitié sans perdre de faits :\n\n", ""),
    (
        "Fais-en un programme d'entraînement de huit semaines :\n\n",
        "\n\nJe peux courir deux fois par semaine.",
    ),
    ("Écris un refus poli à cette lettre :\n\n", ""),
    (
        "Fais des fiches de révision pour un examen avec ce chapitre :\n\n",
        "\n\nQuestion au recto, réponse au verso.",
    ),
    ("Y a-t-il dans cette clause de contrat un point auquel je devrais faire attention ?\n\n", ""),
    ("Convertis ce code en Python :\n\n", "\n\nGarde les commentaires."),
    ("Fais une liste de courses à partir de cette recette :\n\n", "\n\nNous serons six à table."),
    (
        "Écris une expression régulière qui reconnaît toutes les lignes de ce genre :\n\n",
        "\n\nExplique ses parties.",
    ),
    ("Le ton de ce message est-il poli, neutre ou impoli ?\n\n", "\n\nUn mot suffit."),
    ("Trouve la faute dans cette démonstration :\n\n", "\n\nMontre chaque étape de ta vérification."),
    (
        "Rédige le compte rendu de la réunion à partir de ces notes :\n\n",
        "\n\nMets les décisions en premier.",
    ),
)
ASSIGNMENTS = (
    (
        "Feuille d'exercices 4, cours : ",
        (
            ".\n\n"
            "Lis attentivement le passage ci-dessous et formule sa thèse principale avec tes propres mots. "
            "Examine ensuite si la thèse tient, et montre chaque étape de ton raisonnement, y compris celles "
            "qui semblent évidentes. Utilise au moins deux des méthodes vues en cours.\n\n"
            "Passage :\n"
        ),
        (
            "\n\n"
            "Pour finir, note ta propre solution selon la grille : cinq points pour l'exactitude, trois pour "
            "l'exhaustivité, deux pour la clarté. Justifie chaque point que tu retires."
        ),
    ),
    (
        "Examen à la maison, module : ",
        (
            ".\n\n"
            "Tu as jusqu'à vendredi midi. Réponds comme si tu expliquais le sujet à un camarade qui a manqué "
            "les trois dernières semaines, et n'omets aucune étape intermédiaire. Tous les documents sont "
            "autorisés à condition de les citer.\n\n"
            "Sujet :\n"
        ),
        (
            "\n\n"
            "À la fin, établis un barème à quatre critères et dis combien de points sur cinq ta réponse "
            "mérite pour chacun."
        ),
    ),
    (
        "Travail de séminaire, semaine 7, thème : ",
        (
            ".\n\n"
            "Le texte reproduit ici contient au moins deux erreurs. Trouve-les, corrige-les et justifie "
            "chaque correction étape par étape en te référant aux notes du séminaire. Écris ensuite une "
            "meilleure version du texte en trois cents mots au plus.\n\n"
            "Texte :\n"
        ),
        (
            "\n\n"
            "Compare ta version à l'original selon la grille du séminaire (précision, structure, langue, "
            "sources) et attribue de un à six points pour chaque critère. Dis ce qui manque encore pour la "
            "note maximale."
        ),
    ),
)
