package demo

// Common Mexican names. Whoever is put together from them is made up.

var womensNames = []string{
	"María Guadalupe", "Rosa", "Juana", "Verónica", "Leticia", "Alejandra", "Gabriela", "Adriana", "Yolanda", "Silvia",
	"Patricia", "Elizabeth", "Araceli", "Norma", "Fernanda", "Daniela", "Karina", "Itzel", "Xóchitl", "Citlali", "Nayeli",
	"Beatriz", "Lucía", "Carmen", "Teresa", "Esperanza", "Maribel", "Lorena", "Claudia", "Ana Laura", "Brenda", "Jazmín",
	"Reyna", "Graciela", "Irma", "Estela", "Marisol", "Paola", "Dulce", "Zenaida", "Flor", "Elvira",
}

var mensNames = []string{
	"José Luis", "Juan Carlos", "Miguel Ángel", "Francisco", "Jesús", "Antonio", "Pedro", "Alejandro", "Manuel", "Roberto",
	"Fernando", "Ricardo", "Jorge", "Eduardo", "Raúl", "Martín", "Arturo", "Sergio", "Rubén", "Gerardo", "Víctor", "Javier",
	"Óscar", "Héctor", "Mario", "Armando", "Salvador", "Enrique", "Rafael", "Alfredo", "Ramiro", "Noé", "Cuauhtémoc",
	"Édgar", "Iván", "Brayan", "Kevin", "Cristian", "Abel", "Efraín", "Gilberto", "Isidro", "Leonel", "Saúl", "Uriel",
}

var surnames = []string{
	"Hernández", "García", "Martínez", "López", "González", "Pérez", "Rodríguez", "Sánchez", "Ramírez", "Cruz", "Flores",
	"Gómez", "Morales", "Vázquez", "Reyes", "Jiménez", "Torres", "Díaz", "Gutiérrez", "Ruiz", "Mendoza", "Aguilar", "Ortiz",
	"Castillo", "Moreno", "Romero", "Álvarez", "Méndez", "Chávez", "Rivera", "Juárez", "Ramos", "Domínguez", "Herrera",
	"Medina", "Castro", "Vargas", "Guzmán", "Velázquez", "Muñoz", "Rojas", "Contreras", "Salazar", "Luna", "Ortega",
	"Guerrero", "Bautista", "Estrada", "Soto", "Cervantes", "Silva", "Ávila", "Tzintzun", "Cuiris", "Ríos", "Alvarado",
	"Espinoza", "Lara", "Zavala", "Solís", "Valencia", "Magaña", "Chan", "Pech", "Santiago", "Aquino", "Villalobos",
}
