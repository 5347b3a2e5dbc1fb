package demo

import (
	"fmt"
	"math"

	"onward"
)

// programme is an opening that is no job: a course, a grant, a cooperative, cash for work, a place in a project.
type programme struct {
	kind       onward.Kind
	occupation string
	industry   industryKey // decides where it is
	weight     float64
	title      phrase
	says       phrase   // what one does or gets, in whole sentences
	skills     []string // coded besides the occupation's
	low, high  float64  // thousand pesos: stipend or earnings a month, or the grant as a sum
	hours      float64  // a week; 0: unknown
	papers     []onward.DocumentKind
	abroad     bool // ends in a certificate that counts in other countries
	remote     bool
}

var (
	identity  = []onward.DocumentKind{onward.NationalID}
	grantKeys = []onward.DocumentKind{onward.NationalID, onward.TaxNumber, onward.BankAccount}
	coopKeys  = []onward.DocumentKind{onward.NationalID, onward.TaxNumber}
	youthKeys = []onward.DocumentKind{onward.NationalID, onward.ProofOfAddress}
)

var programmes = []programme{
	// Training. Stipends where there are any.
	{
		onward.Training, "solar-installer", energy, 9,
		phrase{"Curso de instalación de paneles solares (120 horas)", "Solar panel installation course (120 hours)"},
		phrase{"Se aprende a montar, conectar y probar sistemas en techos, con práctica en casas. Constancia de competencia al terminar.", "Learn to mount, connect and test roof systems, with practice on houses. Ends in a certificate of competence."},
		nil, 0, 3.5, 20, identity, false, false,
	},
	{
		onward.Training, "welder", assembly, 10,
		phrase{"Curso de soldadura con certificación internacional (200 horas)", "Welding course with international certification (200 hours)"},
		phrase{"Arco, MIG y TIG en taller, con examen de calificación de soldador.", "Arc, MIG and TIG in the workshop, with a welder qualification test."},
		nil, 0, 4, 25, identity, true, false,
	},
	{
		onward.Training, "building-electrician", building, 9,
		phrase{"Curso de electricista residencial (150 horas)", "House electrician course (150 hours)"},
		phrase{"Instalaciones seguras, tableros y pruebas. Incluye juego de herramienta básica.", "Safe wiring, distribution boards and testing. A basic tool kit is included."},
		nil, 0, 3.5, 20, identity, false, false,
	},
	{
		onward.Training, "plumber", building, 7,
		phrase{"Curso de plomería y gas (120 horas)", "Plumbing and gas course (120 hours)"},
		phrase{"Tubería, muebles de baño, calentadores y fugas, con práctica en obra.", "Pipes, bathroom fixtures, heaters and leaks, with practice on site."},
		nil, 0, 3, 20, identity, false, false,
	},
	{
		onward.Training, "refrigeration-mechanic", building, 8,
		phrase{"Curso de refrigeración y aire acondicionado (160 horas)", "Refrigeration and air-conditioning course (160 hours)"},
		phrase{"Diagnóstico, carga de gas e instalación de minisplits. Buenas prácticas con refrigerantes.", "Fault finding, charging and fitting split units. Good practice with refrigerants."},
		nil, 0, 3.5, 20, identity, false, false,
	},
	{
		onward.Training, "cook", kitchens, 9,
		phrase{"Curso de cocina y manejo higiénico de alimentos (90 horas)", "Cooking and food hygiene course (90 hours)"},
		phrase{"Cocina mexicana e internacional, costos y tarjeta de manejo de alimentos.", "Mexican and international cooking, costing and the food handling card."},
		nil, 0, 2.5, 15, identity, false, false,
	},
	{
		onward.Training, "baker", foodMaking, 6,
		phrase{"Taller de panadería y repostería (80 horas)", "Bread and pastry workshop (80 hours)"},
		phrase{"Masas, hornos y decoración, y cómo vender lo que se hornea.", "Doughs, ovens and decoration, and how to sell what is baked."},
		nil, 0, 2, 15, nil, false, false,
	},
	{
		onward.Training, "home-care-worker", care, 9,
		phrase{"Formación de cuidadoras y cuidadores (180 horas)", "Training for carers (180 hours)"},
		phrase{"Cuidado de personas mayores y con discapacidad, primeros auxilios y derechos laborales. Horario que respeta la escuela de los hijos.", "Care for older people and people with disabilities, first aid and labour rights. Hours fit around school."},
		[]string{"give-first-aid"},
		0, 3.5, 18, identity, false, false,
	},
	{
		onward.Training, "sewing-machine-operator", garments, 7,
		phrase{"Curso de costura industrial (100 horas)", "Industrial sewing course (100 hours)"},
		phrase{"Recta, overlock y acabados, con bolsa de trabajo de las fábricas de la zona.", "Straight stitch, overlock and finishing, with job placement in local factories."},
		nil, 0, 2.5, 20, nil, false, false,
	},
	{
		onward.Training, "forklift-operator", logistics, 8,
		phrase{"Curso de operador de montacargas (40 horas)", "Forklift operator course (40 hours)"},
		phrase{"Teoría, práctica y constancia de habilidades para operar montacargas.", "Theory, practice and a certificate of skills to operate forklifts."},
		nil, 0, 0, 20, append(identity[:1:1], onward.DrivingLicence), false, false,
	},
	{
		onward.Training, "heavy-truck-driver", logistics, 6,
		phrase{"Formación de operadores de camión con trámite de licencia (160 horas)", "Truck driver training including the licence (160 hours)"},
		phrase{"Manejo, reversa y mecánica básica; el proyecto paga el examen médico y la licencia federal.", "Driving, reversing and basic maintenance; the project pays the medical test and the federal licence."},
		nil, 0, 4, 30, append(identity[:1:1], onward.DrivingLicence), false, false,
	},
	{
		onward.Training, "cnc-operator", assembly, 6,
		phrase{"Curso de operador CNC (200 horas)", "CNC operator course (200 hours)"},
		phrase{"Lectura de planos, medición y programación básica, con práctica en planta.", "Drawings, measuring and basic programming, with practice in a plant."},
		nil, 0, 4, 25, append(identity[:1:1], onward.SchoolCertificate), false, false,
	},
	{
		onward.Training, "call-centre-agent", callCentre, 7,
		phrase{"Inglés para el trabajo: de B1 a B2 (150 horas)", "English for work: from B1 to B2 (150 hours)"},
		phrase{"Conversación, llamadas simuladas y examen internacional de inglés. En línea y presencial.", "Conversation, practice calls and an international English examination. Online and in person."},
		[]string{"speak-foreign-language-by-phone"},
		0, 0, 12, nil, true, true,
	},
	{
		onward.Training, "software-developer", computing, 3,
		phrase{"Programación web desde cero (300 horas, en línea)", "Web programming from zero (300 hours, online)"},
		phrase{"Seis meses en línea con mentoría y un proyecto real. Se presta computadora.", "Six months online with mentoring and a real project. Computers are lent."},
		nil, 0, 3, 20, nil, true, true,
	},
	{
		onward.Training, "office-clerk", office, 7,
		phrase{"Habilidades digitales y de oficina (60 horas)", "Digital and office skills (60 hours)"},
		phrase{"Hojas de cálculo, correo y trámites en línea. Hay espacio infantil.", "Spreadsheets, e-mail and online procedures. A play room for children."},
		nil, 0, 0, 10, nil, false, true,
	},
	{
		onward.Training, "small-business-owner", trade, 10,
		phrase{"Taller: poner mi negocio (50 horas)", "Workshop: starting my business (50 hours)"},
		phrase{"Del costo al precio, permisos y primer plan. Al terminar se puede pedir capital semilla.", "From cost to price, permits and a first plan. Leads on to seed capital."},
		nil, 0, 0, 10, nil, false, false,
	},
	{
		onward.Training, "greenhouse-grower", farming, 6,
		phrase{"Curso de invernaderos y riego por goteo (80 horas)", "Greenhouses and drip irrigation course (80 hours)"},
		phrase{"Semilleros, riego, plagas y cosecha, con práctica en invernadero.", "Seedlings, irrigation, pests and harvest, with practice in a greenhouse."},
		nil, 0, 2.5, 18, nil, false, false,
	},
	{
		onward.Training, "hairdresser", personal, 6,
		phrase{"Curso de estilismo y barbería (120 horas)", "Hairdressing and barbering course (120 hours)"},
		phrase{"Corte, color y atención a clientes. Se entrega un estuche de trabajo.", "Cutting, colour and customer care. A work kit is handed out."},
		nil, 0, 2, 15, nil, false, false,
	},
	{
		onward.Training, "tour-guide", hotels, 4,
		phrase{"Formación de guías locales (100 horas)", "Local guide training (100 hours)"},
		phrase{"Patrimonio, naturaleza y trato al visitante, con credencial local de guía.", "Heritage, nature and hosting, with a local guide's card."},
		nil, 0, 2.5, 15, identity, false, false,
	},

	// Enterprise grants: a sum, once.
	{
		onward.EnterpriseGrant, "small-business-owner", trade, 14,
		phrase{"Capital semilla para negocio propio", "Seed capital for an own business"},
		phrase{"Apoyo único con asesoría durante seis meses. Hace falta un plan sencillo.", "A single grant with six months of advice. A simple plan is needed."},
		nil, 25, 60, 0, grantKeys, false, false,
	},
	{
		onward.EnterpriseGrant, "street-food-seller", kitchens, 8,
		phrase{"Capital para puesto de comida o cocina económica", "Grant for a food stall or small kitchen"},
		phrase{"Para equipo, permiso y primeros insumos. Incluye visita sanitaria previa.", "For equipment, permit and first supplies. A hygiene visit comes first."},
		nil, 20, 45, 0, append(coopKeys[:2:2], onward.FoodHandlingCard), false, false,
	},
	{
		onward.EnterpriseGrant, "house-builder", building, 8,
		phrase{"Herramienta y capital para cuadrilla de construcción", "Tools and capital for a building crew"},
		phrase{"Herramienta, andamio y capital de arranque para quien sabe el oficio y quiere contratar por su cuenta.", "Tools, scaffolding and working capital for people who know the trade and want to take contracts themselves."},
		[]string{"calculate-costs-and-profit"},
		30, 70, 0, grantKeys, false, false,
	},
	{
		onward.EnterpriseGrant, "vehicle-mechanic", repair, 6,
		phrase{"Capital para taller mecánico o vulcanizadora", "Grant for a repair or tyre workshop"},
		phrase{"Para herramienta y renta de los primeros meses, con seguimiento de un mecánico con negocio.", "For tools and the first months' rent, with a mechanic in business as mentor."},
		[]string{"run-a-small-business"},
		30, 80, 0, grantKeys, false, false,
	},
	{
		onward.EnterpriseGrant, "dressmaker", garments, 6,
		phrase{"Capital semilla para taller de costura", "Seed capital for a sewing workshop"},
		phrase{"Máquinas y tela para empezar en casa o en grupo.", "Machines and cloth to start at home or in a group."},
		[]string{"run-a-small-business"},
		20, 50, 0, coopKeys, false, false,
	},
	{
		onward.EnterpriseGrant, "hairdresser", personal, 5,
		phrase{"Capital para estética o barbería", "Grant for a salon or barber shop"},
		phrase{"Mobiliario y equipo para abrir un local o dar servicio a domicilio.", "Furniture and equipment to open a shop or visit customers."},
		[]string{"run-a-small-business"},
		20, 45, 0, coopKeys, false, false,
	},
	{
		onward.EnterpriseGrant, "poultry-farmer", farming, 7,
		phrase{"Apoyo para granja familiar de aves o traspatio", "Grant for a family poultry or backyard farm"},
		phrase{"Pie de cría, malla y alimento para tres meses, con visitas de un técnico.", "Breeding stock, netting and three months of feed, with visits of a technician."},
		nil, 20, 40, 0, identity, false, false,
	},
	{
		onward.EnterpriseGrant, "vegetable-grower", farming, 7,
		phrase{"Apoyo para invernadero o parcela con riego", "Grant for a greenhouse or an irrigated plot"},
		phrase{"Material, cinta de riego y semilla para quien tiene o renta tierra.", "Materials, drip tape and seed for people who own or rent land."},
		nil, 30, 80, 0, coopKeys, false, false,
	},
	{
		onward.EnterpriseGrant, "gate-and-grille-maker", repair, 4,
		phrase{"Capital para taller de herrería o carpintería", "Grant for a metal or wood workshop"},
		phrase{"Planta de soldar, banco y primer material.", "Welding set, bench and first material."},
		[]string{"run-a-small-business"},
		30, 70, 0, grantKeys, false, false,
	},

	// Cooperatives: what members take home a month.
	{
		onward.Cooperative, "coffee-and-cocoa-grower", farming, 8,
		phrase{"Socio o socia de cooperativa de café", "Member of a coffee cooperative"},
		phrase{"Se entra con parcela propia o prestada; la cooperativa acopia, tuesta y vende.", "Join with an own or a lent plot; the cooperative collects, roasts and sells."},
		[]string{"make-decisions-together"},
		6, 10, 40, coopKeys, false, false,
	},
	{
		onward.Cooperative, "beekeeper", farming, 5,
		phrase{"Cooperativa de miel: nuevos apicultores", "Honey cooperative: new beekeepers"},
		phrase{"Diez colmenas a crédito sin interés y venta asegurada.", "Ten hives on credit without interest, and a sure buyer."},
		[]string{"buy-and-sell-collectively"},
		5.5, 9, 25, identity, false, false,
	},
	{
		onward.Cooperative, "coastal-fisher", fishing, 7,
		phrase{"Cooperativa pesquera: tripulación y socios", "Fishing cooperative: crew and members"},
		phrase{"Con permiso de pesca de la cooperativa y hielo propio; reparto por viaje.", "Under the cooperative's permit, with its own ice; shared out by trip."},
		[]string{"make-decisions-together"},
		8, 13, 42, identity, false, false,
	},
	{
		onward.Cooperative, "weaver", crafts, 6,
		phrase{"Cooperativa de tejido y bordado", "Weaving and embroidery cooperative"},
		phrase{"Trabajo en casa o en taller común; los pedidos se reparten y se venden juntos.", "Work at home or in the common workshop; orders are shared and sold together."},
		[]string{"sell-crafts", "make-decisions-together"},
		5, 9, 30, identity, false, false,
	},
	{
		onward.Cooperative, "cooperative-member", cleaning, 7,
		phrase{"Cooperativa de limpieza y mantenimiento", "Cleaning and maintenance cooperative"},
		phrase{"Contratos con oficinas y escuelas; cada quien es dueño con un voto.", "Contracts with offices and schools; each member is an owner with one vote."},
		[]string{"clean-floors-and-surfaces", "make-decisions-together"},
		9, 12.5, 40, coopKeys, false, false,
	},
	{
		onward.Cooperative, "recycling-sorter", cleaning, 5,
		phrase{"Cooperativa de reciclaje", "Recycling cooperative"},
		phrase{"Acopio, separación y venta por tonelada con báscula propia.", "Collecting, sorting and selling by the tonne, on its own scale."},
		[]string{"make-decisions-together"},
		7, 11, 42, identity, false, false,
	},
	{
		onward.Cooperative, "house-builder", building, 6,
		phrase{"Cooperativa de construcción y vivienda", "Building and housing cooperative"},
		phrase{"Cuadrilla de socios que construye y mejora vivienda; anticipos semanales y reparto al año.", "A crew of members that builds and improves homes; weekly advances and a yearly share."},
		[]string{"make-decisions-together"},
		10, 16, 45, coopKeys, false, false,
	},
	{
		onward.Cooperative, "dairy-products-maker", foodMaking, 4,
		phrase{"Cooperativa de quesos y lácteos", "Cheese and dairy cooperative"},
		phrase{"Quesería común con registro sanitario; se compra la leche de los socios.", "A common dairy with its health registration; it buys the members' milk."},
		[]string{"buy-and-sell-collectively"},
		7, 11, 40, coopKeys, false, false,
	},
	{
		onward.Cooperative, "baker", foodMaking, 4,
		phrase{"Panadería cooperativa de barrio", "Neighbourhood cooperative bakery"},
		phrase{"Horno común y reparto en escuelas y tiendas.", "A common oven, delivering to schools and shops."},
		[]string{"make-decisions-together"},
		8, 12, 42, coopKeys, false, false,
	},

	// Cash for work: by the day, many people at a time.
	{
		onward.CashForWork, "road-worker", building, 10,
		phrase{"Empleo temporal: caminos y calles", "Temporary work: roads and streets"},
		phrase{"Bacheo, cunetas y limpieza de caminos durante dos meses.", "Patching, ditches and clearing of roads for two months."},
		nil, 0, 0, 40, identity, false, false,
	},
	{
		onward.CashForWork, "land-restoration-worker", farming, 9,
		phrase{"Empleo temporal: conservación de suelos", "Temporary work: soil conservation"},
		phrase{"Terrazas, zanjas y barreras vivas en parcelas de la comunidad.", "Terraces, trenches and live barriers on the community's plots."},
		nil, 0, 0, 40, identity, false, false,
	},
	{
		onward.CashForWork, "forestry-labourer", farming, 7,
		phrase{"Empleo temporal: reforestación y brechas", "Temporary work: tree planting and firebreaks"},
		phrase{"Vivero, plantación y brechas cortafuego, con capacitación de una semana.", "Nursery, planting and firebreaks, after a week of training."},
		nil, 0, 0, 40, identity, false, false,
	},
	{
		onward.CashForWork, "paver", building, 7,
		phrase{"Empleo temporal: banquetas y plazas", "Temporary work: pavements and squares"},
		phrase{"Adoquín, guarniciones y rampas para sillas de ruedas.", "Paving, kerbs and wheelchair ramps."},
		nil, 0, 0, 42, identity, false, false,
	},
	{
		onward.CashForWork, "street-sweeper", cleaning, 7,
		phrase{"Empleo temporal: limpieza de barrios y ríos", "Temporary work: cleaning districts and rivers"},
		phrase{"Cuadrillas de 20 personas; medio turno posible para quien cuida hijos.", "Crews of 20; half shifts are possible for people with children."},
		nil, 0, 0, 30, nil, false, false,
	},
	{
		onward.CashForWork, "well-digger", farming, 4,
		phrase{"Empleo temporal: ollas de agua y pozos", "Temporary work: ponds and wells"},
		phrase{"Excavación y revestimiento para captar lluvia.", "Digging and lining to harvest rain."},
		nil, 0, 0, 42, identity, false, false,
	},
	{
		onward.CashForWork, "building-labourer", building, 6,
		phrase{"Empleo temporal: rehabilitar escuelas", "Temporary work: repairing schools"},
		phrase{"Pintura, techos e impermeabilización antes del ciclo escolar.", "Painting, roofs and waterproofing before the school year."},
		[]string{"paint-buildings", "waterproof-surfaces"},
		0, 0, 42, identity, false, false,
	},

	// Places in development projects, with a monthly support.
	{
		onward.ProjectPlace, "mixed-farmer", farming, 9,
		phrase{"Proyecto agroforestal: parcela, plantas y apoyo mensual", "Agroforestry project: plot, plants and monthly support"},
		phrase{"Frutales y milpa en 2.5 hectáreas, con técnicos y ahorro en grupo.", "Fruit trees and maize on 2.5 hectares, with technicians and group savings."},
		[]string{"plant-trees"},
		5.5, 6.45, 30, identity, false, false,
	},
	{
		onward.ProjectPlace, "kitchen-gardener", farming, 5,
		phrase{"Huertos familiares y venta en mercado local", "Family gardens and a local market"},
		phrase{"Semilla, composta y puesto semanal; pensado para mujeres con hijos.", "Seed, compost and a weekly stall; made for women with children."},
		[]string{"sell-at-a-market"},
		3, 4, 15, nil, false, false,
	},
	{
		onward.ProjectPlace, "reintegration-peer-worker", community, 6,
		phrase{"Acompañantes pares: acoger a quien regresa", "Peer workers: welcoming people who return"},
		phrase{"Personas retornadas acompañan a otras en sus primeros seis meses.", "Returnees accompany others through their first six months."},
		nil, 4, 6, 25, identity, false, false,
	},
	{
		onward.ProjectPlace, "trekking-guide", hotels, 4,
		phrase{"Ecoturismo comunitario: guías y cabañas", "Community ecotourism: guides and cabins"},
		phrase{"Senderos, cabañas y cocina; el inglés aprendido afuera vale.", "Trails, cabins and kitchen; English learnt abroad counts."},
		[]string{"speak-foreign-language-with-guests"},
		4, 6, 30, identity, false, false,
	},
	{
		onward.ProjectPlace, "own-home-builder", building, 8,
		phrase{"Mejora de vivienda con ayuda mutua", "Home improvement with mutual help"},
		phrase{"Material a cambio de trabajo; un maestro de obra enseña y paga por jornada en otras casas.", "Materials in exchange for work; a master builder teaches, and pays by the day on other homes."},
		[]string{"lay-concrete-blocks", "fit-roof-sheets"},
		3.5, 5, 25, identity, false, false,
	},
	{
		onward.ProjectPlace, "solar-installer", energy, 5,
		phrase{"Brigadas solares: techos de la comunidad", "Solar brigades: the community's roofs"},
		phrase{"Seis meses en una brigada que electrifica escuelas y clínicas.", "Six months in a brigade that brings power to schools and clinics."},
		nil, 5, 7, 40, identity, false, false,
	},
	{
		onward.ProjectPlace, "childcare-worker", care, 6,
		phrase{"Estancia infantil comunitaria: equipo y cupo para hijos", "Community childcare: team, and places for own children"},
		phrase{"Se trabaja y se aprende en la estancia; los hijos del equipo tienen lugar.", "Work and learn in the centre; the team's children have places."},
		nil, 4.5, 6.5, 30, append(identity[:1:1], onward.CriminalRecordCheck), false, false,
	},
	{
		onward.ProjectPlace, "food-packer", foodMaking, 5,
		phrase{"Planta comunitaria de conservas", "Community preserves plant"},
		phrase{"Fruta de la zona en conserva y deshidratada, con registro de marca común.", "Local fruit, preserved and dried, under a common brand."},
		[]string{"make-jam-and-preserves"},
		4.5, 6.5, 35, identity, false, false,
	},
	{
		onward.ProjectPlace, "office-clerk", office, 5,
		phrase{"Primer empleo: práctica pagada en oficina", "First job: paid practice in an office"},
		phrase{"Cuatro meses de práctica con tutora, para jóvenes de 18 a 29 años.", "Four months of practice with a tutor, for people of 18 to 29."},
		nil, 6, 8.4, 30, youthKeys, false, false,
	},
	{
		onward.ProjectPlace, "small-business-owner", trade, 6,
		phrase{"Incubadora de negocios de personas retornadas", "Incubator for returnees' businesses"},
		phrase{"Local compartido, mentoría y compras en común durante nueve meses.", "Shared premises, mentoring and joint buying for nine months."},
		[]string{"buy-and-sell-collectively"},
		2.5, 4, 20, identity, false, false,
	},
}

// programme makes an opening of a kind that is no job.
func (o *openings) programme(kind onward.Kind) Opportunity {
	p := o.programmes[kind].pick(o.draw)
	place := o.programmePlace(p)
	occ := o.occupation(p.occupation)
	d := onward.OpportunityDetails{
		Kind: kind, PlaceID: place.ID, CertificateAbroad: p.abroad, Documents: distinctKinds(p.papers),
		OccupationID: occ.id, Remote: p.remote && o.chance(0.6),
	}
	if p.hours > 0 {
		d.HoursPerWeek = &p.hours
	}
	if p.hours > 0 && p.hours <= 20 {
		d.FlexibleTime = pointer(true)
	}
	if o.chance(0.3) {
		d.Childcare = pointer(o.chance(0.5))
	}
	o.dates(&d, 14, 120)
	o.vetting(&d, 0.76)
	o.programmeSkills(&d, occ, p)
	o.programmeTerms(&d, p, place)
	by := o.postedBy(o.programmePosters(kind, p.industry), place.ID)
	name := placeName(place)
	where := phrase{"En " + name.es + ".", "In " + name.en + "."}
	if d.Remote {
		where = phrase{"En línea, desde cualquier parte del país.", "Online, from anywhere in the country."}
	}
	d.Title, d.Description = p.title.text(), p.says.then(where).text()
	if o.chance(0.25) && !d.Remote {
		d.Title = phrase{p.title.es + " – " + name.es, p.title.en + " – " + name.en}.text()
	}
	return Opportunity{by.slug, d}
}

// programmePlace: programmes go where people return to as well as where the work is.
func (o *openings) programmePlace(p programme) onward.Place {
	tied := p.industry == fishing || p.industry == hotels || p.industry == energy || p.industry == crafts
	if p.kind != onward.Training && !tied && o.chance(0.55) {
		return o.atlas.origins.pick(o.draw)
	}
	return o.atlas.jobs[p.industry].pick(o.draw)
}

func (o *openings) programmePosters(kind onward.Kind, in industryKey) []poster {
	switch kind {
	case onward.Training:
		return o.posters[trains]
	case onward.Cooperative:
		var among []poster
		for _, p := range o.posters[cooperates] {
			if p.industries == "" || industryKey(p.industries) == in {
				among = append(among, p)
			}
		}
		return among
	case onward.CashForWork:
		return o.posters[publicWorks]
	default:
		return o.posters[funds]
	}
}

// programmeSkills: what is taught is optional, what a business rests on is essential.
func (o *openings) programmeSkills(d *onward.OpportunityDetails, occ occupation, p programme) {
	if o.chance(0.15) {
		return
	}
	essential := p.kind == onward.EnterpriseGrant || p.kind == onward.Cooperative || p.kind == onward.CashForWork
	seen := map[string]bool{}
	for _, s := range some(o.draw, occ.essential, o.between(3, 6)) {
		d.Skills = append(d.Skills, onward.OpportunitySkill{SkillID: s.id, Essential: essential && o.chance(0.8)})
		seen[s.id] = true
	}
	for _, slug := range p.skills {
		s, ok := o.vocabulary.skills[slug]
		if !ok {
			o.missing = append(o.missing, "skill "+slug)
			continue
		}
		if !seen[s.id] {
			d.Skills = append(d.Skills, onward.OpportunitySkill{SkillID: s.id, Essential: p.kind == onward.ProjectPlace && o.chance(0.5)})
		}
	}
}

func (o *openings) programmeTerms(d *onward.OpportunityDetails, p programme, place onward.Place) {
	pesos := func(thousands, step float64) int64 { return int64(math.Round(thousands*1000/step) * step * 100) }
	switch p.kind {
	case onward.Training:
		d.Capacity = o.between(12, 40)
		if p.high > 0 && o.chance(0.6) {
			amount := pesos(o.within(p.high*0.8, p.high), 100)
			d.Wage = &onward.Wage{MinMinor: amount, MaxMinor: amount, Currency: currency, Period: onward.PerMonth}
		}
	case onward.EnterpriseGrant:
		// A sum, paid once. It stands for the income of the first year, so that it is not taken for a monthly wage.
		d.Capacity = o.between(3, 20)
		low := o.within(p.low, (p.low+p.high)/2)
		d.Wage = &onward.Wage{MinMinor: pesos(low, 1000), MaxMinor: pesos(o.within(low, p.high), 1000), Currency: currency, Period: onward.PerYear}
		d.MinAge = 18
	case onward.CashForWork:
		d.Capacity = o.between(10, 40)
		day := int64(math.Ceil(o.minimum.perDay(o.atlas.border[place.ID])*7/6/5) * 5 * 100)
		d.Wage = &onward.Wage{MinMinor: day, MaxMinor: day, Currency: currency, Period: onward.PerDay}
		d.MinAge, d.Hazardous = 18, p.occupation != "street-sweeper"
	case onward.Cooperative, onward.ProjectPlace:
		d.Capacity = o.between(10, 40)
		if p.kind == onward.Cooperative {
			d.Capacity = o.between(2, 15)
		}
		if o.chance(0.85) {
			low := o.within(p.low, (p.low+p.high)/2)
			d.Wage = &onward.Wage{MinMinor: pesos(low, 100), MaxMinor: pesos(o.within(low, p.high), 100), Currency: currency, Period: onward.PerMonth}
		}
		if o.chance(0.5) {
			d.MinAge = 18
		}
		if p.title.en == "First job: paid practice in an office" {
			d.MinAge, d.MaxAge = 18, 29
		}
	case onward.Job, onward.Apprenticeship:
		panic(fmt.Sprintf("%s is no programme", p.kind))
	}
}
