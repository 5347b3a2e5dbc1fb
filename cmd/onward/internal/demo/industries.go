package demo

// industryKey names a branch of the economy: where it is, how it works and pays.
type industryKey string

const (
	building   industryKey = "building"
	assembly   industryKey = "assembly" // maquila: electronics, devices, plastics
	automotive industryKey = "automotive"
	garments   industryKey = "garments"
	footwear   industryKey = "footwear"
	farming    industryKey = "farming"
	fishing    industryKey = "fishing"
	foodMaking industryKey = "food_making"
	kitchens   industryKey = "kitchens"
	hotels     industryKey = "hotels"
	trade      industryKey = "trade"
	logistics  industryKey = "logistics"
	office     industryKey = "office"
	computing  industryKey = "computing"
	callCentre industryKey = "call_centre"
	health     industryKey = "health"
	care       industryKey = "care"
	cleaning   industryKey = "cleaning"
	security   industryKey = "security"
	repair     industryKey = "repair"
	energy     industryKey = "energy"
	crafts     industryKey = "crafts"
	education  industryKey = "education"
	community  industryKey = "community"
	personal   industryKey = "personal"
)

// industry says where the openings of a branch are, and on which terms people work in it.
type industry struct {
	key       industryKey
	share     float64 // of all jobs
	exponent  float64 // openings grow with population to this power
	elsewhere float64 // location quotient of the places that are not listed
	quotients []quotient
	pay       payDay
	shifts    []shift
	with      []phrase // conditions, one or two of which an opening names
	additions []phrase // to titles
	formal    float64  // share of openings that ask for the papers of a formal job
	housing   float64  // share of openings that come with a place to live
	moving    float64  // share of openings for which moving is paid
}

type quotient struct {
	times float64
	where string
}

// payDay says for which period pay is told.
type payDay int

const (
	byMonth payDay = iota
	byWeek
	byDay
)

// shift is a pattern of working hours; its addition goes to some titles.
type shift struct {
	hours    float64 // a week
	says     phrase
	addition phrase
	weight   float64
	flexible bool
	liveIn   bool
}

var (
	morning  = phrase{"turno matutino", "morning shift"}
	evening  = phrase{"turno vespertino", "evening shift"}
	night    = phrase{"turno nocturno", "night shift"}
	partTime = phrase{"medio tiempo", "part-time"}
	weekend  = phrase{"fines de semana", "weekends"}

	siteShifts = []shift{
		{48, phrase{"de lunes a sábado de 8 a 17 h, con una hora para comer", "Monday to Saturday 8:00–17:00 with an hour for lunch"}, phrase{}, 6, false, false},
		{45, phrase{"de lunes a viernes de 8 a 18 h, con una hora para comer", "Monday to Friday 8:00–18:00 with an hour for lunch"}, phrase{}, 4, false, false},
	}
	factoryShifts = []shift{
		{48, phrase{"de lunes a sábado de 6 a 14 h", "Monday to Saturday 6:00–14:00"}, morning, 5, false, false},
		{45, phrase{"de lunes a viernes de 14 a 23 h", "Monday to Friday 14:00–23:00"}, evening, 3, false, false},
		{40, phrase{"de domingo a jueves de 22 a 6 h", "Sunday to Thursday 22:00–6:00"}, night, 2, false, false},
		{48, phrase{"cuatro días de 12 horas por tres de descanso", "four days of 12 hours, then three off"}, phrase{"turno 4x3", "4x3 shift"}, 2, false, false},
		{24, phrase{"sábados y domingos de 7 a 19 h", "Saturday and Sunday 7:00–19:00"}, weekend, 1, false, false},
	}
	shopShifts = []shift{
		{48, phrase{"turnos rotativos con un día de descanso entre semana", "rotating shifts with one weekday off"}, phrase{}, 6, false, false},
		{48, phrase{"de martes a domingo de 10 a 18 h", "Tuesday to Sunday 10:00–18:00"}, phrase{}, 3, false, false},
		{24, phrase{"de lunes a sábado, cuatro horas que se acuerdan", "Monday to Saturday, four hours by agreement"}, partTime, 3, true, false},
	}
	officeShifts = []shift{
		{45, phrase{"de lunes a viernes de 8 a 18 h, con una hora para comer", "Monday to Friday 8:00–18:00 with an hour for lunch"}, phrase{}, 5, false, false},
		{40, phrase{"de lunes a viernes de 9 a 17 h", "Monday to Friday 9:00–17:00"}, phrase{}, 4, true, false},
		{25, phrase{"de lunes a viernes de 9 a 14 h", "Monday to Friday 9:00–14:00"}, partTime, 2, true, false},
	}
	farmShifts = []shift{
		{48, phrase{"de lunes a sábado de 6 a 14 h", "Monday to Saturday 6:00–14:00"}, phrase{}, 7, false, false},
		{42, phrase{"de lunes a sábado de 6 a 13 h", "Monday to Saturday 6:00–13:00"}, phrase{}, 3, false, false},
	}
	seaShifts = []shift{
		{48, phrase{"salidas de madrugada según la marea, seis días a la semana", "before dawn with the tide, six days a week"}, phrase{}, 5, false, false},
		{45, phrase{"de lunes a viernes de 5 a 14 h", "Monday to Friday 5:00–14:00"}, phrase{}, 2, false, false},
	}
	kitchenShifts = []shift{
		{48, phrase{"de martes a domingo de 8 a 16 h", "Tuesday to Sunday 8:00–16:00"}, morning, 5, false, false},
		{48, phrase{"de martes a domingo de 15 a 23 h", "Tuesday to Sunday 15:00–23:00"}, evening, 4, false, false},
		{24, phrase{"de viernes a domingo de 12 a 20 h", "Friday to Sunday 12:00–20:00"}, weekend, 2, false, false},
		{25, phrase{"de lunes a viernes de 9 a 14 h", "Monday to Friday 9:00–14:00"}, partTime, 2, true, false},
	}
	hotelShifts = []shift{
		{48, phrase{"de 7 a 15 h, seis días a la semana", "7:00–15:00, six days a week"}, morning, 5, false, false},
		{48, phrase{"de 15 a 23 h, seis días a la semana", "15:00–23:00, six days a week"}, evening, 3, false, false},
		{48, phrase{"turnos rotativos, seis días a la semana", "rotating shifts, six days a week"}, phrase{"temporada alta", "high season"}, 3, false, false},
	}
	roadShifts = []shift{
		{48, phrase{"de lunes a sábado de 7 a 15 h", "Monday to Saturday 7:00–15:00"}, phrase{}, 5, false, false},
		{48, phrase{"turnos rotativos, seis días a la semana", "rotating shifts, six days a week"}, phrase{}, 4, false, false},
		{40, phrase{"de domingo a jueves de 22 a 6 h", "Sunday to Thursday 22:00–6:00"}, night, 2, false, false},
	}
	guardShifts = []shift{
		{60, phrase{"cinco turnos de 12 horas a la semana, con horas extra pagadas", "five 12-hour shifts a week, overtime paid"}, phrase{"turno 12x12", "12-hour shifts"}, 5, false, false},
		{56, phrase{"24 horas de trabajo por 48 de descanso", "24 hours on, 48 hours off"}, phrase{"turno 24x48", "24 on, 48 off"}, 3, false, false},
		{48, phrase{"ocho horas, seis días a la semana", "eight hours, six days a week"}, phrase{"turno diurno", "day shift"}, 3, false, false},
	}
	careShifts = []shift{
		{48, phrase{"de lunes a sábado de 8 a 16 h", "Monday to Saturday 8:00–16:00"}, phrase{}, 5, false, false},
		{30, phrase{"de lunes a viernes de 8 a 14 h", "Monday to Friday 8:00–14:00"}, phrase{}, 3, true, false},
		{48, phrase{"de planta, con cuarto propio y domingo libre", "living in, with a room of one's own and Sundays free"}, phrase{"de planta", "living in"}, 2, false, true},
		{40, phrase{"cinco noches de 22 a 6 h", "five nights 22:00–6:00"}, night, 1, false, false},
	}
	cleaningShifts = []shift{
		{48, phrase{"de lunes a sábado de 6 a 14 h", "Monday to Saturday 6:00–14:00"}, morning, 5, false, false},
		{48, phrase{"de lunes a sábado de 14 a 22 h", "Monday to Saturday 14:00–22:00"}, evening, 3, false, false},
		{24, phrase{"de lunes a sábado de 7 a 11 h", "Monday to Saturday 7:00–11:00"}, partTime, 2, true, false},
	}
	callShifts = []shift{
		{48, phrase{"seis días a la semana, turnos rotativos", "six days a week, rotating shifts"}, phrase{}, 4, false, false},
		{40, phrase{"de lunes a viernes de 7 a 15 h, hora del Pacífico", "Monday to Friday 7:00–15:00, Pacific time"}, morning, 4, false, false},
		{30, phrase{"de lunes a viernes, seis horas que se acuerdan", "Monday to Friday, six hours by agreement"}, partTime, 2, true, false},
	}
)

var (
	byLaw      = phrase{"Contrato y prestaciones de ley con IMSS e Infonavit.", "Contract with the benefits of the law (social insurance, housing fund)."}
	weekly     = phrase{"Se paga cada semana.", "Paid every week."}
	tools      = phrase{"Se dan herramienta y equipo de protección.", "Tools and protective equipment are provided."}
	bus        = phrase{"Hay transporte de personal y comedor.", "Staff bus and canteen."}
	vouchers   = phrase{"Vales de despensa y bono de puntualidad.", "Food vouchers and a bonus for punctuality."}
	training   = phrase{"No se pide experiencia: se enseña en el puesto.", "No experience asked for: training on the job."}
	meals      = phrase{"Alimentos incluidos en el turno.", "Meals during the shift."}
	tips       = phrase{"Sueldo más propinas.", "Wage plus tips."}
	uniform    = phrase{"Uniforme sin costo.", "Uniform free of charge."}
	piecework  = phrase{"Destajo por encima del sueldo base.", "Piece rates on top of the base wage."}
	commission = phrase{"Sueldo base más comisiones.", "Base wage plus commission."}
	trial      = phrase{"Periodo de prueba de 30 días pagado.", "Paid trial of 30 days."}
	noSchool   = phrase{"Basta la experiencia; no se piden estudios.", "Experience is enough; no schooling asked for."}
	growth     = phrase{"Posibilidad de ascenso a los seis meses.", "Promotion is possible after six months."}
	steady     = phrase{"Trabajo para al menos seis meses.", "Work for at least six months."}
	closeBy    = phrase{"Cerca del transporte público.", "Close to public transport."}
)

const (
	maquilaPlaces = "Tijuana;Mexicali;Tecate;Ciudad Juárez;Reynosa;Heroica Matamoros;Nuevo Laredo;Ciudad Acuña;Piedras Negras;Nogales;Agua Prieta;San Luis Río Colorado"
	carPlaces     = "Puebla;Aguascalientes;Santiago de Querétaro;León de los Aldama;Silao de la Victoria;San Luis Potosí;Saltillo;Ramos Arizpe;San Juan del Río"
	bigCities     = "Mexico City;Guadalajara;Zapopan;Monterrey;Santiago de Querétaro;Puebla;Tijuana;León de los Aldama;Mérida"
)

var industries = []industry{
	{
		building, 18, 0.9, 1,
		[]quotient{{1.35, "@Quintana Roo;@Baja California Sur;@Nuevo León;@Querétaro;Tijuana;Mérida"}},
		byWeek, siteShifts,
		[]phrase{weekly, tools, steady, noSchool, byLaw, {"Pago por avance de obra además del sueldo.", "A bonus by progress of the work."}},
		[]phrase{{"segunda cuadrilla", "second crew"}, {"vivienda en serie", "housing estate"}, {"remodelaciones", "renovations"}, {"obra nueva", "new building"}, {"con experiencia", "experienced"}, {"obra industrial", "industrial site"}},
		0.55, 0.02, 0.015,
	},
	{
		assembly, 15, 0.9, 0.12,
		[]quotient{{5, maquilaPlaces}, {1.6, "Guadalajara;Zapopan;Tlaquepaque;Chihuahua;Ensenada;Ciudad Apodaca;Monterrey;Hermosillo"}},
		byWeek, factoryShifts,
		[]phrase{byLaw, weekly, bus, vouchers, training, growth, uniform},
		[]phrase{{"línea 3", "line 3"}, {"contratación directa", "hired directly"}, {"dispositivos médicos", "medical devices"}, {"cuarto limpio", "clean room"}},
		0.95, 0.01, 0.06,
	},
	{
		automotive, 6.5, 0.85, 0.06,
		[]quotient{{5, carPlaces}, {2, "Irapuato;Celaya;Salamanca;Toluca;Hermosillo;Ciudad Apodaca;Cuautlancingo;El Pueblito"}},
		byMonth, factoryShifts,
		[]phrase{byLaw, bus, vouchers, training, growth, uniform, {"Fondo de ahorro y seguro de vida.", "Savings fund and life insurance."}},
		[]phrase{{"arneses", "wire harnesses"}, {"asientos", "seats"}, {"planta nueva", "new plant"}, {"autopartes", "car parts"}},
		0.98, 0, 0.05,
	},
	{
		garments, 3.5, 0.75, 0.12,
		[]quotient{{5, "Tehuacán;Puebla;Moroleón;Uriangato;Santa Ana Chiautempan;Kanasín;Mérida;Torreón;Gómez Palacio;Aguascalientes;Tulancingo;Teziutlan;Villa Hidalgo"}},
		byWeek,
		append(factoryShifts[:2:2], shift{30, phrase{"de lunes a viernes de 8 a 14 h", "Monday to Friday 8:00–14:00"}, partTime, 2, true, false}),
		[]phrase{byLaw, weekly, piecework, vouchers, {"Guardería en convenio con el IMSS.", "Childcare through the social insurance."}},
		[]phrase{{"mezclilla", "denim"}, {"ropa escolar", "school clothes"}, {"tejido de punto", "knitwear"}},
		0.8, 0, 0,
	},
	{
		footwear, 2.5, 0.7, 0,
		[]quotient{{8, "León de los Aldama"}, {4, "San Francisco del Rincón;Purísima de Bustos"}, {0.5, "Guadalajara"}},
		byWeek, factoryShifts[:2],
		[]phrase{byLaw, weekly, piecework, vouchers, training},
		[]phrase{{"bota vaquera", "western boots"}, {"calzado escolar", "school shoes"}, {"pespunte", "stitching"}},
		0.8, 0, 0,
	},
	{
		farming, 7.5, 0.4, 0.12,
		[]quotient{
			{3, "@Sinaloa;@Michoacán;@Chiapas"},
			{1.5, "@Guanajuato;@Jalisco;@Zacatecas;@Sonora;@Veracruz;@Oaxaca"},
			{5, "Culiacán;Navolato;Guasave;Los Mochis;Uruapan;Zamora de Hidalgo;Jacona de Plancarte;Peribán de Ramos;Tapachula;Ensenada;Heroica Caborca;Tecomán"},
			{0.1, "Mexico City"},
		},
		byDay, farmShifts,
		[]phrase{weekly, {"Transporte desde el pueblo y agua en el campo.", "Transport from the village and water in the field."}, {"Sombra y baños en el campo, equipo para agroquímicos.", "Shade and toilets in the field, protection against chemicals."}, steady, piecework, byLaw},
		[]phrase{{"todo el año", "all year"}, {"por temporada", "seasonal"}, {"rancho certificado", "certified farm"}},
		0.4, 0.22, 0.08,
	},
	{
		fishing, 1.3, 0.35, 0,
		[]quotient{{1, coastPlaces}, {4, "Mazatlán;Ensenada;Heroica Guaymas"}},
		byWeek, seaShifts,
		[]phrase{{"Parte de la captura además del sueldo.", "A share of the catch on top of the wage."}, weekly, {"Chaleco y equipo de seguridad a bordo.", "Life jacket and safety gear on board."}},
		[]phrase{{"temporada de camarón", "shrimp season"}, {"embarcación menor", "small boats"}, {"sardina y atún", "sardine and tuna"}},
		0.4, 0.1, 0,
	},
	{
		foodMaking, 4.5, 0.75, 0.7,
		[]quotient{{2, "@Sinaloa;@Jalisco;@Guanajuato;@Sonora"}, {4, "Uruapan;Zamora de Hidalgo;Irapuato;Tehuacán;Lagos de Moreno;Tepatitlán de Morelos;Culiacán;Mazatlán;Ensenada"}},
		byWeek, factoryShifts[:3],
		[]phrase{byLaw, weekly, bus, vouchers, training, uniform},
		[]phrase{{"cadena de frío", "cold chain"}, {"planta empacadora", "packing plant"}, {"control de inocuidad", "food safety"}},
		0.75, 0.04, 0.03,
	},
	{
		kitchens, 8, 0.9, 1,
		[]quotient{{2, resortPlaces}},
		byMonth, kitchenShifts,
		[]phrase{meals, tips, uniform, byLaw, closeBy, trial},
		[]phrase{{"fonda", "small restaurant"}, {"cocina económica", "home-style kitchen"}, {"comedor industrial", "works canteen"}, {"restaurante de mariscos", "seafood restaurant"}},
		0.5, 0.02, 0.01,
	},
	{
		hotels, 8, 0.65, 0.12,
		[]quotient{
			{9, "Cancún;Playa del Carmen;Puerto Vallarta;Cabo San Lucas;San José del Cabo"},
			{5, "Tulum;Cozumel;Ixtapa-Zihuatanejo;Bucerías;Crucecita;Puerto Escondido"},
			{2.5, "Mazatlán;La Paz;Acapulco de Juárez;Puerto Peñasco;Mérida;Oaxaca;San Cristóbal de las Casas;San Miguel de Allende;Guanajuato;Valladolid;Pátzcuaro;Taxco de Alarcón"},
		},
		byMonth, hotelShifts,
		[]phrase{byLaw, meals, uniform, tips, bus, growth},
		[]phrase{{"hotel de playa", "beach hotel"}, {"apertura de hotel", "new hotel"}, {"hotel boutique", "boutique hotel"}},
		0.9, 0.18, 0.12,
	},
	{
		trade, 9, 0.92, 1, nil, byMonth, shopShifts,
		[]phrase{byLaw, commission, closeBy, uniform, training, growth, trial},
		[]phrase{{"sucursal centro", "town centre branch"}, {"sucursal norte", "northern branch"}, {"plaza comercial", "shopping centre"}, {"tienda nueva", "new shop"}},
		0.7, 0, 0,
	},
	{
		logistics, 9, 0.9, 0.8,
		[]quotient{{2, "Tijuana;Ciudad Juárez;Nuevo Laredo;Reynosa;Manzanillo;Ciudad Lázaro Cárdenas;Veracruz;Santiago de Querétaro;Cuautitlán Izcalli;Tepeji del Río de Ocampo;Ciudad Apodaca;Monterrey"}},
		byMonth, roadShifts,
		[]phrase{byLaw, bus, vouchers, uniform, growth, weekly},
		[]phrase{{"centro de distribución", "distribution centre"}, {"paquetería", "parcel service"}, {"zona industrial", "industrial zone"}, {"planta fija", "permanent post"}},
		0.85, 0, 0.03,
	},
	{
		office, 3.5, 1, 0.7,
		[]quotient{{1.3, bigCities}},
		byMonth, officeShifts,
		[]phrase{byLaw, closeBy, growth, trial},
		[]phrase{{"con manejo de hojas de cálculo", "with spreadsheets"}, {"cobertura de seis meses", "six months' cover"}, {"sucursal nueva", "new branch"}},
		0.95, 0, 0,
	},
	{
		computing, 2.5, 0.95, 0.15,
		[]quotient{{3, "Guadalajara;Zapopan;Monterrey"}, {1.5, "Mexico City;Santiago de Querétaro;Tijuana;Mérida;Aguascalientes;Hermosillo"}},
		byMonth, officeShifts,
		[]phrase{byLaw, growth, {"Equipo de cómputo de la empresa.", "Computer provided."}, {"Cursos y certificaciones pagados.", "Courses and certificates paid for."}},
		[]phrase{{"nivel inicial", "junior"}, {"proyecto de seis meses", "six-month project"}},
		0.9, 0, 0.04,
	},
	{
		callCentre, 3.5, 0.85, 0.03,
		[]quotient{{5, "Tijuana;Guadalajara;Zapopan;Mérida"}, {2, "Monterrey;Hermosillo;Mexicali;Ciudad Juárez;León de los Aldama;Santiago de Querétaro"}, {0.6, "Mexico City"}},
		byMonth, callShifts,
		[]phrase{byLaw, vouchers, training, growth, {"Bono por permanencia y por calidad.", "Bonus for staying and for quality."}},
		[]phrase{{"atención a clientes en Estados Unidos", "customers in the United States"}, {"campaña de seguros", "insurance campaign"}, {"soporte técnico", "technical support"}},
		0.95, 0, 0.02,
	},
	{health, 3, 0.9, 1, nil, byMonth, careShifts[:2], []phrase{byLaw, uniform, closeBy, growth}, []phrase{{"clínica de barrio", "local clinic"}, {"hospital privado", "private hospital"}, {"guardias", "on-call"}}, 0.95, 0, 0.01},
	{
		care, 3.5, 0.95, 1,
		[]quotient{{1.5, "Mexico City;Monterrey;Guadalajara;Zapopan;San Pedro Garza García;San Miguel de Allende;Chapala"}},
		byWeek, careShifts,
		[]phrase{weekly, meals, closeBy, {"Alta en el IMSS desde el primer día.", "Social insurance from the first day."}},
		[]phrase{{"persona mayor", "older person"}, {"familia con dos niños", "family with two children"}, {"casa de día", "day centre"}},
		0.3, 0, 0,
	},
	{cleaning, 3.5, 0.95, 1, nil, byWeek, cleaningShifts, []phrase{weekly, uniform, byLaw, closeBy, training}, []phrase{{"oficinas", "offices"}, {"plaza comercial", "shopping centre"}, {"hospital", "hospital"}, {"nave industrial", "factory"}}, 0.65, 0, 0},
	{
		security, 3.5, 0.95, 1,
		[]quotient{{1.4, "Mexico City;Monterrey;Tijuana;Cancún"}},
		byMonth, guardShifts,
		[]phrase{byLaw, uniform, weekly, training, growth},
		[]phrase{{"fraccionamiento", "housing estate"}, {"parque industrial", "industrial park"}, {"tienda departamental", "department store"}},
		0.95, 0.03, 0.02,
	},
	{
		repair, 4.5, 0.9, 1, nil, byWeek, append(siteShifts[:1:1], shift{48, phrase{"de lunes a sábado de 9 a 17 h", "Monday to Saturday 9:00–17:00"}, phrase{}, 4, false, false}),
		[]phrase{weekly, tools, commission, noSchool, trial},
		[]phrase{{"taller familiar", "family workshop"}, {"taller de barrio", "local workshop"}, {"servicio a domicilio", "house calls"}, {"flotillas", "fleets"}},
		0.45, 0, 0,
	},
	{
		energy, 2.5, 0.45, 0.08,
		[]quotient{{8, "Heroica Ciudad de Juchitán de Zaragoza;Santo Domingo Tehuantepec;Salina Cruz;Ixtepec"}, {3, "@Yucatán;@Sonora"}, {1, "Torreón;Aguascalientes;La Paz;San Luis Potosí;Ciudad Juárez"}},
		byMonth, siteShifts,
		[]phrase{byLaw, tools, steady, {"Curso de trabajo en alturas incluido.", "Course on work at height included."}},
		[]phrase{{"parque solar", "solar park"}, {"parque eólico", "wind park"}, {"techos de casas", "house roofs"}, {"riego solar", "solar irrigation"}},
		0.8, 0.15, 0.1,
	},
	{
		crafts, 1, 0.4, 0.05,
		[]quotient{{5, "Oaxaca;San Cristóbal de las Casas;Taxco de Alarcón;Pátzcuaro;Uruapan;Tonalá;Tlaquepaque;Dolores Hidalgo;Paracho de Verduzco;Chilapa de Álvarez"}},
		byWeek, siteShifts[:1],
		[]phrase{weekly, piecework, training},
		[]phrase{{"taller de artesanos", "artisans' workshop"}, {"pedido de exportación", "export order"}},
		0.2, 0, 0,
	},
	{education, 2, 0.9, 1, nil, byMonth, officeShifts, []phrase{byLaw, closeBy, steady}, []phrase{{"ciclo escolar", "school year"}, {"centro comunitario", "community centre"}}, 0.9, 0, 0},
	{
		community, 1.3, 0.7, 0.6,
		[]quotient{{2.5, "Tijuana;Ciudad Juárez;Reynosa;Tapachula;Nuevo Laredo;Nogales;Oaxaca;Mexico City"}},
		byMonth, officeShifts,
		[]phrase{byLaw, steady, {"Se valora haber vivido la migración.", "Having lived migration oneself is an advantage."}},
		[]phrase{{"albergue", "shelter"}, {"barrios del oriente", "eastern districts"}},
		0.9, 0, 0.03,
	},
	{personal, 1.7, 0.95, 1, []quotient{{1.6, resortPlaces}}, byMonth, shopShifts, []phrase{commission, tips, closeBy, trial}, []phrase{{"barrio centro", "town centre"}, {"con cartera de clientes", "with own customers"}}, 0.3, 0, 0},
}
