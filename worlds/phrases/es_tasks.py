"""Spanish prompts around a passage: private questions, public tasks, assignments."""

from __future__ import annotations

QUESTIONS = (
    ("Notas del caso:\n\n", "\n\nDevuelve el resultado como se acordó."),
    ("Ocúpate del siguiente asunto, por favor.\n\n", "\n\nMantén el formato usado hasta ahora."),
    ("Nueva entrada en el buzón:\n---\n", "\n---\n¿Qué deberíamos contestar?"),
    ("Aquí está el siguiente texto.\n\n", "\n\nAplícale todas las instrucciones y no omitas nada."),
    ("Entrada:\n", "\n\nSalida:"),
    ("Un compañero me ha enviado esto y pide nuestra valoración:\n\n", "\n\nGracias de antemano."),
)
TASKS = (
    ("Traduce al inglés:\n\n", ""),
    ("Resume el siguiente texto en cinco puntos.\n\n", ""),
    (
        "Corrige el error de este código y explica qué estaba mal:\n\n",
        "\n\nDevuelve el archivo completo corregido, por favor.",
    ),
    ("Escribe un poema breve de cumpleaños que recoja algo de estas líneas:\n\n", "\n\nTiene que rimar."),
    (
        "Planea una escapada de fin de semana en tren que encaje con estas notas:\n\n",
        "\n\nAñade precios aproximados.",
    ),
    ("Explícale esto a un niño de doce años:\n\n", ""),
    ("Reescribe este correo para que suene más amable:\n\n", ""),
    ("Corrige la ortografía y la gramática, no cambies nada más:\n\n", ""),
    ("Puntúa este párrafo del 1 al 10 en claridad, gramática y tono:\n\n", "\n\nJustifica cada nota."),
    ("Explica paso a paso si este argumento es válido:\n\n", "\n\nDa tu conclusión solo al final."),
    ("Convierte estas notas en una tabla de tres columnas:\n\n", ""),
    ("Continúa esta historia con el mismo estilo:\n\n", "\n\nDetente en un momento emocionante."),
    (
        "Escribe pruebas unitarias para el código que se describe aquí:\n\n",
        "\n\nIncluye también los casos límite.",
    ),
    ("Da tres argumentos a favor y tres en contra de lo siguiente:\n\n", ""),
    ("Busca un buen titular para este texto:\n\n", "\n\nPropón diez y elige el mejor."),
    ("Redacta una carta de presentación a partir de esta trayectoria:\n\n", "\n\nUna página como máximo."),
    (
        "¿Qué preguntas podrían hacerme sobre esto en una entrevista?\n\n",
        "\n\nAñade una respuesta modelo a cada una.",
    ),
    ("¿Qué significa este mensaje de error?\n\n", "\n\n¿Cómo puedo eliminarlo?"),
    ("Enumera todos los nombres, fechas e importes de este texto:\n\n", ""),
    ("Reduce esto a la mitad sin perder datos:\n\n", ""),
    (
        "Prepara un plan de entrenamiento de ocho semanas a partir de esto:\n\n",
        "\n\nPuedo correr dos veces por semana.",
    ),
    ("Escribe una negativa cortés a esta carta:\n\n", ""),
    (
        "Haz tarjetas de estudio para un examen con este capítulo:\n\n",
        "\n\nPregunta delante, respuesta detrás.",
    ),
    ("¿Hay algo en esta cláusula del contrato a lo que deba prestar atención?\n\n", ""),
    ("Pasa este código a Python:\n\n", "\n\nConserva los comentarios."),
    ("Haz una lista de la compra a partir de esta receta:\n\n", "\n\nSeremos seis a la mesa."),
    (
        "Escribe una expresión regular que reconozca todas las líneas como estas:\n\n",
        "\n\nExplica sus partes.",
    ),
    ("¿El tono de este mensaje es cortés, neutro o grosero?\n\n", "\n\nBasta una palabra."),
    ("Encuentra el fallo en esta demostración:\n\n", "\n\nMuestra cada paso de tu comprobación."),
    ("Redacta el acta de la reunión a partir de estos apuntes:\n\n", "\n\nPon primero los acuerdos."),
)
ASSIGNMENTS = (
    (
        "Hoja de ejercicios 4, asignatura: ",
        (
            ".\n\n"
            "Lee con atención el pasaje de abajo y formula su tesis principal con tus propias palabras. "
            "Examina después si la tesis se sostiene y muestra cada paso de tu razonamiento, incluidos los "
            "que parecen evidentes. Utiliza al menos dos de los métodos vistos en clase.\n\n"
            "Pasaje:\n"
        ),
        (
            "\n\n"
            "Por último, califica tu propia solución según la rúbrica: cinco puntos por corrección, tres por "
            "exhaustividad, dos por claridad. Justifica cada punto que restes."
        ),
    ),
    (
        "Examen para casa, módulo: ",
        (
            ".\n\n"
            "Tienes de plazo hasta el viernes a mediodía. Responde como si se lo explicaras a alguien de tu "
            "curso que ha faltado las tres últimas semanas, y no omitas ningún paso intermedio. Se permite "
            "cualquier material siempre que lo cites.\n\n"
            "Enunciado:\n"
        ),
        (
            "\n\n"
            "Al final, elabora un baremo con cuatro criterios y di cuántos de los cinco puntos merece tu "
            "respuesta en cada uno."
        ),
    ),
    (
        "Trabajo de seminario, semana 7, tema: ",
        (
            ".\n\n"
            "El texto que aparece aquí contiene al menos dos errores. Encuéntralos, corrígelos y justifica "
            "cada corrección paso a paso con referencia a los apuntes del seminario. Escribe después una "
            "versión mejor del texto en no más de trescientas palabras.\n\n"
            "Texto:\n"
        ),
        (
            "\n\n"
            "Compara tu versión con el original según la rúbrica del seminario (precisión, estructura, "
            "lenguaje, fuentes) y concede de uno a seis puntos en cada apartado. Di qué falta todavía para "
            "la nota máxima."
        ),
    ),
)
