"""French words that fill slots, and sentences that passages are made of."""

from __future__ import annotations

PROFESSIONS = (
    "comptable",
    "architecte logiciel",
    "conseiller fiscal",
    "professeur de lycée",
    "analyste de données",
    "ingénieur en génie civil",
    "pharmacien",
    "examinateur de brevets",
    "rédacteur technique",
    "chef de projet",
    "conseiller clientèle",
    "traducteur",
    "planificateur logistique",
    "administrateur réseau",
    "expert en assurances",
    "bibliothécaire",
)
FIELDS = (
    "statistiques appliquées",
    "droit du travail",
    "chimie organique",
    "conception de bases de données",
    "urbanisme",
    "science des sols",
    "compilation",
    "théorie des graphes",
    "ingénierie des structures",
    "comptabilité d'entreprise",
    "nutrition clinique",
    "traduction automatique",
    "planification logistique",
    "énergies renouvelables",
    "sécurité des réseaux",
    "histoire médiévale",
    "théorie musicale",
    "médecine vétérinaire",
    "robotique",
    "théorie des jeux",
)
WARES = (
    "chaussures de randonnée",
    "cours de langue",
    "meubles de jardin",
    "pompes à chaleur",
    "assurances de voyage",
    "machines à café",
    "manuels scolaires",
    "appareils auditifs",
    "vélos cargos",
    "logiciels de comptabilité",
    "stations météo",
    "couteaux de cuisine",
    "trains miniatures",
    "filtres à eau",
)
SENTENCES = (
    "Le chauffage de l'aile est a été contrôlé mardi, et deux vannes doivent être remplacées avant l'hiver.",
    (
        "Trois des douze échantillons ont donné une valeur plus élevée que prévu, la série sera donc répétée "
        "la semaine prochaine."
    ),
    (
        "Le client a appelé deux fois au sujet du retard de livraison et voudrait une nouvelle date d'ici "
        "vendredi."
    ),
    (
        "Nous avons déplacé la sauvegarde sur le second serveur parce que le premier n'avait plus d'espace "
        "disque."
    ),
    "Ma sœur arrive par le train du soir, et quelqu'un doit aller la chercher à la gare.",
    (
        "La réunion a commencé avec dix minutes de retard, car le projecteur ne se connectait pas au nouvel "
        "ordinateur."
    ),
    (
        "Depuis la dernière mise à jour, le programme démarre plus lentement, mais la recherche donne ses "
        "résultats bien plus vite."
    ),
    "La terre près de la rivière retient davantage d'eau, c'est pourquoi les haricots y poussent mieux.",
    "Remets les clés dans le tiroir quand tu pars, s'il te plaît, et éteins la lumière du couloir.",
    "Le rapport énumère sept risques, dont quatre étaient déjà connus au début du projet.",
    (
        "Au deuxième trimestre, les frais d'emballage ont augmenté de six pour cent, surtout parce que le "
        "papier a renchéri."
    ),
    (
        "Le pont sera fermé aux camions à partir de mai, jusqu'à ce que les fissures du pilier nord soient "
        "réparées."
    ),
    "Elle a lu le manuscrit en une nuit et a écrit ses remarques au crayon dans la marge.",
    (
        "Le capteur envoie une valeur toutes les trente secondes, et la passerelle rejette celles qui "
        "arrivent dans le désordre."
    ),
    "Pour la soupe, il faut deux poireaux, une poignée de lentilles, un peu de bouillon et de la patience.",
    "Le patient dit que la douleur est plus forte le matin et s'atténue après une courte promenade.",
    "Aucun des témoins n'a pu dire avec certitude si la camionnette avait tourné à gauche ou à droite.",
    (
        "La table a atteint quarante millions de lignes, et le traitement de nuit ne finit plus avant le "
        "petit déjeuner."
    ),
    "Nos voisins nous ont prêté leur échelle pour que nous puissions nettoyer les gouttières ce week-end.",
    "Le contrat dure deux ans et se prolonge d'un an s'il n'est pas résilié à temps.",
    "Pendant l'essai, la pompe s'est arrêtée deux fois, toujours peu après une hausse de la pression.",
    "Les enfants ont construit un radeau avec de vieux tonneaux et se sont étonnés qu'il flotte vraiment.",
    "Une nouvelle collègue commence lundi et s'occupera des archives et de la petite bibliothèque.",
    (
        "La fonction renvoie une liste vide quand aucune entrée ne correspond, alors que le manuel promet "
        "une erreur."
    ),
    (
        "L'épicerie du village ouvre à sept heures, et à la demie les petits pains frais sont souvent déjà "
        "vendus."
    ),
    (
        "Nous avons comparé trois offres et choisi la deuxième, parce que sa garantie couvre le coût des "
        "réparations."
    ),
    "La mesure a été prise à l'ombre, à deux mètres du sol, à midi heure locale.",
    "Il a promis d'envoyer les photos de l'excursion, mais pour l'instant rien n'est arrivé.",
    "Les vieux tuyaux sont en plomb et doivent être changés avant que l'appartement puisse être reloué.",
    "Si la file dépasse mille entrées, le service refuse les nouvelles requêtes pendant une minute entière.",
    "Le cours couvre les six premiers chapitres ; les exercices à la fin de chacun sont facultatifs.",
    (
        "Au retour, nous avons pris le sentier à travers la forêt et n'avons croisé personne pendant deux "
        "heures."
    ),
    "La facture porte l'ancienne adresse, il faut donc l'établir de nouveau avec la bonne.",
    (
        "L'objectif était légèrement rayé, et pourtant les photos paraissent plus nettes que celles de "
        "l'année dernière."
    ),
    "Depuis le changement d'horaire, le bus n'attend plus les voyageurs du dernier train du soir.",
    "Le chœur répète tous les jeudis dans la salle de l'école et cherche encore deux ténors.",
    (
        "Les deux courbes se croisent vers quarante degrés, ce qui concorde bien avec la valeur de la "
        "littérature."
    ),
    "Le mot de passe doit être changé tous les trois mois et ne peut contenir le nom de l'utilisateur.",
    (
        "Le boulanger utilise la farine du moulin situé de l'autre côté de la vallée et laisse reposer la "
        "pâte un jour."
    ),
    "D'après le procès-verbal, le conseil a reporté sa décision jusqu'à la fin de la seconde enquête.",
    (
        "L'imprimante du troisième étage n'imprime qu'en gris, alors que la cartouche de couleur a été "
        "remplacée hier."
    ),
    "Une tempête a abattu deux arbres sur la route de campagne, et les pompiers sont en train de la dégager.",
    "L'apprenti a appris à souder et construira seul le châssis de la remorque dès la semaine prochaine.",
    "Le modèle prévoit trop de ventes pour le mois d'août, car il ne connaît pas les dates des vacances.",
    (
        "Les visiteurs sont priés de laisser les grands sacs au vestiaire et de ne pas toucher aux objets "
        "exposés."
    ),
    (
        "La traduction est correcte dans l'ensemble, mais certains termes techniques sont employés de façon "
        "inégale."
    ),
    "Au marché, il y avait des poires, des prunes et les premières noix, le tout à moitié prix.",
    "Le câble entre les deux bâtiments mesure quatre-vingts mètres et longe la conduite d'eau.",
    "Un seul des ascenseurs fonctionne, les livraisons devraient donc arriver avant neuf heures du matin.",
    (
        "Quatre cents personnes ont répondu à l'enquête, et la plupart avaient acheté quelque chose au cours "
        "du dernier mois."
    ),
    "Le chat a dormi tout l'après-midi sur le poêle chaud et n'a pas levé les yeux quand on a sonné.",
    (
        "L'erreur ne se produit que si deux utilisateurs enregistrent le même formulaire à moins d'une "
        "seconde d'intervalle."
    ),
    "Pour son anniversaire, le club a prévu un concert, une petite exposition et un dîner pour les membres.",
    "Le réservoir contient trois cents litres et se remplit automatiquement dès qu'il est à moitié vide.",
    "La lettre a été écrite à la hâte ; il manque deux mots et la date est celle de la veille.",
    "Au printemps, la neige fond en quelques jours, et le ruisseau inonde alors les prés du bas.",
    (
        "La nouvelle règle s'applique à toutes les commandes de plus de cinquante pièces et ne touche pas "
        "aux remises en cours."
    ),
    "Le médecin recommande de marcher une demi-heure par jour et de boire moins de café le soir.",
    (
        "Le cache est vidé à minuit, si bien que la première requête du jour prend toujours un peu plus de "
        "temps."
    ),
    (
        "Les étudiants ont interrogé vingt commerçants et dessiné une carte des chemins que suivent les "
        "marchandises dans la ville."
    ),
)
