"""Spanish words that fill slots, and sentences that passages are made of."""

from __future__ import annotations

PROFESSIONS = (
    "contable",
    "arquitecto de software",
    "asesor fiscal",
    "profesor de instituto",
    "analista de datos",
    "ingeniero civil",
    "farmacéutico",
    "examinador de patentes",
    "redactor técnico",
    "jefe de proyecto",
    "asesor de clientes",
    "traductor",
    "planificador logístico",
    "administrador de redes",
    "perito de seguros",
    "bibliotecario",
)
FIELDS = (
    "estadística aplicada",
    "derecho laboral",
    "química orgánica",
    "diseño de bases de datos",
    "urbanismo",
    "ciencia del suelo",
    "construcción de compiladores",
    "teoría de grafos",
    "ingeniería estructural",
    "contabilidad empresarial",
    "nutrición clínica",
    "traducción automática",
    "planificación logística",
    "energías renovables",
    "seguridad de redes",
    "historia medieval",
    "teoría musical",
    "medicina veterinaria",
    "robótica",
    "teoría de juegos",
)
WARES = (
    "botas de montaña",
    "cursos de idiomas",
    "muebles de jardín",
    "bombas de calor",
    "seguros de viaje",
    "máquinas de café",
    "libros de texto",
    "audífonos",
    "bicicletas de carga",
    "programas de contabilidad",
    "estaciones meteorológicas",
    "cuchillos de cocina",
    "trenes en miniatura",
    "filtros de agua",
)
SENTENCES = (
    "La calefacción del ala este se revisó el martes y hay que cambiar dos válvulas antes del invierno.",
    (
        "Tres de las doce muestras dieron un valor más alto de lo esperado, así que la serie se repetirá la "
        "próxima semana."
    ),
    (
        "El cliente ha llamado dos veces por el retraso de la entrega y quiere tener una nueva fecha antes "
        "del viernes."
    ),
    (
        "Hemos trasladado la copia de seguridad al segundo servidor porque el primero se había quedado sin "
        "espacio."
    ),
    "Mi hermana llega en el tren de la tarde y alguien tiene que ir a recogerla a la estación.",
    (
        "La reunión empezó con diez minutos de retraso, porque no se pudo conectar el proyector al portátil "
        "nuevo."
    ),
    (
        "Desde la última actualización el programa arranca más despacio, pero la búsqueda da sus resultados "
        "mucho antes."
    ),
    "La tierra cercana al río retiene más agua, y por eso las judías crecen mejor allí.",
    "Por favor, deja las llaves en el cajón cuando te vayas y apaga la luz del pasillo.",
    "El informe enumera siete riesgos, cuatro de los cuales ya se conocían al comenzar el proyecto.",
    (
        "En el segundo trimestre los gastos de embalaje subieron un seis por ciento, sobre todo porque el "
        "papel se encareció."
    ),
    "El puente estará cerrado a los camiones desde mayo hasta que se reparen las grietas del pilar norte.",
    "Leyó el manuscrito en una sola noche y escribió sus observaciones a lápiz en el margen.",
    "El sensor envía un valor cada treinta segundos, y la pasarela descarta los que llegan en desorden.",
    "Para la sopa se necesitan dos puerros, un puñado de lentejas, algo de caldo y un poco de paciencia.",
    "El paciente dice que el dolor es más fuerte por la mañana y se alivia tras un breve paseo.",
    (
        "Ninguno de los testigos supo decir con certeza si la furgoneta había girado a la izquierda o a la "
        "derecha."
    ),
    (
        "La tabla ha crecido hasta cuarenta millones de filas, y el proceso nocturno ya no acaba antes del "
        "desayuno."
    ),
    "Los vecinos nos han prestado su escalera para que podamos limpiar los canalones el fin de semana.",
    "El contrato dura dos años y se prorroga un año más si no se cancela a tiempo.",
    "Durante la prueba la bomba se paró dos veces, siempre poco después de que se aumentara la presión.",
    "Los niños construyeron una balsa con barriles viejos y se sorprendieron de que flotara de verdad.",
    "El lunes empieza una nueva compañera que se encargará del archivo y de la pequeña biblioteca.",
    (
        "La función devuelve una lista vacía cuando no coincide ninguna entrada, aunque el manual promete un "
        "error."
    ),
    "La tienda del pueblo abre a las siete, y a las siete y media el pan recién hecho suele haberse agotado.",
    "Comparamos tres ofertas y elegimos la segunda, porque su garantía cubre el coste de las reparaciones.",
    "La medición se hizo a la sombra, a dos metros del suelo, a mediodía hora local.",
    "Prometió enviar las fotografías de la excursión, pero hasta ahora no ha llegado nada de nada.",
    "Las tuberías viejas son de plomo y hay que cambiarlas antes de volver a alquilar el piso.",
    "Si la cola supera las mil entradas, el servicio rechaza las peticiones nuevas durante un minuto.",
    "El curso abarca los seis primeros capítulos; los ejercicios del final de cada uno son voluntarios.",
    "A la vuelta tomamos el sendero del bosque y no nos cruzamos con nadie en dos horas.",
    "En la factura figura la dirección antigua, de modo que hay que emitirla otra vez con la correcta.",
    "La lente estaba un poco rayada, y aun así las fotos salen más nítidas que las del año pasado.",
    "Desde que cambió el horario, el autobús ya no espera a los viajeros del último tren.",
    "El coro ensaya todos los jueves en el salón de la escuela y busca dos tenores más.",
    (
        "Las dos curvas se cruzan hacia los cuarenta grados, lo que concuerda bien con el valor de la "
        "bibliografía."
    ),
    "La contraseña debe cambiarse cada tres meses y no puede contener el nombre del usuario.",
    "El panadero usa harina del molino del otro lado del valle y deja reposar la masa un día.",
    "Según el acta, la junta aplazó su decisión hasta que termine el segundo estudio.",
    "La impresora del tercer piso imprime solo en gris, aunque ayer se cambió el cartucho de color.",
    "Una tormenta ha derribado dos árboles en la carretera comarcal, y los bomberos la están despejando.",
    "El aprendiz ha aprendido a soldar y construirá él solo el bastidor del remolque.",
    "El modelo prevé demasiadas ventas para agosto, porque no conoce las fechas de las vacaciones.",
    "Se ruega a los visitantes que dejen los bolsos grandes en el guardarropa y no toquen las piezas.",
    "La traducción es correcta en conjunto, pero algunos términos técnicos no se usan de manera uniforme.",
    "En el mercado había peras, ciruelas y las primeras nueces, todo a la mitad del precio habitual.",
    "El cable entre los dos edificios mide ochenta metros y discurre junto a la tubería del agua.",
    (
        "Solo funciona uno de los ascensores, así que las entregas deberían llegar antes de las nueve de la "
        "mañana."
    ),
    (
        "Respondieron a la encuesta cuatrocientas personas, la mayoría de las cuales había comprado algo en "
        "el último mes."
    ),
    "La gata durmió toda la tarde sobre la estufa caliente y no levantó la vista cuando sonó el timbre.",
    (
        "El error solo se produce cuando dos usuarios guardan el mismo formulario con menos de un segundo de "
        "diferencia."
    ),
    (
        "Para el aniversario el club ha previsto un concierto, una pequeña exposición y una cena para los "
        "socios."
    ),
    (
        "El depósito tiene una capacidad de trescientos litros y se llena automáticamente cuando baja a la "
        "mitad."
    ),
    "La carta se escribió deprisa; faltan dos palabras y la fecha es la del día anterior.",
    "En primavera la nieve se derrite en pocos días, y entonces el arroyo inunda los prados bajos.",
    (
        "La nueva norma se aplica a todos los pedidos de más de cincuenta piezas y no afecta a los "
        "descuentos vigentes."
    ),
    "La doctora recomienda caminar media hora al día y tomar menos café por la noche.",
    "La caché se vacía a medianoche, por lo que la primera petición del día siempre tarda algo más.",
    (
        "Los estudiantes entrevistaron a veinte comerciantes y dibujaron un mapa de los caminos que siguen "
        "las mercancías por la ciudad."
    ),
)
